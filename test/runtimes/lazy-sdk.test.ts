import { afterAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SecretsVault } from "../../src/vault/secrets-vault.ts";
import { textVaultStorage } from "../../src/vault/text-vault-storage.ts";
import { startS3Server } from "../services/s3-server.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { PROJECT, startServer } from "./runtime.ts";

const store = await startS3Server();
store.createBucket("studio");
afterAll(() => store.stop());

const root = tempFolder();
const nas = tempFolder();

test("a server loads no provider's SDK before a request needs it", async () => {
  mkdirSync(join(root, "config"));
  const features = { enable_cloud_sync: true, enable_cloud_sync_local: true, enable_cloud_sync_s3: true };
  writeFileSync(join(root, "config/comfyvn.json"), JSON.stringify({ features, sync: { local: { path: nas } } }));
  const storage = textVaultStorage();
  await new SecretsVault(storage).create({ cloud_sync: { s3: store.settingsFor("studio") } }, "pw");
  writeFileSync(join(root, "config/comfyvn.secrets.json"), storage.text() ?? "");
  const spy = join(PROJECT, "test/runtimes/sdk-spy.ts");
  const command = [process.execPath, "--preload", spy, join(PROJECT, "src/main.ts"), "serve", "--port", "0"];
  const server = await startServer([...command, "--root", root], { cwd: root, env: { COMFYVN_SECRETS_KEY: "pw" } });
  try {
    let told = 0;
    const loaded = async () => {
      server.child.kill("SIGUSR2");
      for (;;) {
        const counts = [...server.said().matchAll(/^modules of SDKs: (\d+)$/gm)];
        const last = counts[told];
        if (last !== undefined) {
          told++;
          return Number(last[1]);
        }
        await Bun.sleep(5);
      }
    };
    const ask = async (path: string, service: string) => {
      const headers = { "content-type": "application/json" };
      const response = await fetch(server.base + path, { method: "POST", headers, body: JSON.stringify({ service }) });
      await response.body?.cancel();
      return response.status;
    };
    expect(await ask("/api/sync/run", "local")).toBe(200);
    expect((await fetch(`${server.base}/api/health`)).status).toBe(200);
    expect(await loaded()).toBe(0);
    expect(await ask("/api/sync/dry_run", "s3")).toBe(200);
    expect(await loaded()).toBeGreaterThan(0);
  } finally {
    server.child.kill("SIGKILL");
  }
});
