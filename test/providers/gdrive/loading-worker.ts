/** Does one thing of the product's and prints the CommonJS modules, as all of Google's are, that it has loaded. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

async function serveOnce(): Promise<void> {
  const { App } = await import("../../../src/app.ts");
  const { bunPlatform } = await import("../../../src/platform/bun/bun-platform.ts");
  const { startServer } = await import("../../../src/server/server.ts");
  const root = mkdtempSync(join(tmpdir(), "comfyvn-loading-"));
  const options = { platform: bunPlatform(), root, passphrase: () => undefined, complain: () => undefined };
  const app = await App.open(options);
  const server = await startServer(app, { host: "127.0.0.1", port: 0, token: undefined });
  await fetch(`http://127.0.0.1:${server.port}/api/health`);
  await server.stop(0);
  app.close();
  rmSync(root, { recursive: true });
}

if (process.argv[2] === "serve") await serveOnce();
if (process.argv[2] === "gdrive") await import("../../../src/providers/gdrive/drive-provider.ts");
console.log(JSON.stringify(Object.keys(require.cache)));
