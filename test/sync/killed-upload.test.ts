import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { App } from "../../src/app.ts";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import { someBytes } from "../../src/providers/conformance/sources.ts";
import { S3_LIMITS } from "../../src/providers/s3/limits.ts";
import { cliWorkspace, PASSPHRASE } from "../cli/cli-process.ts";
import { startS3Server } from "../services/s3-server.ts";
import { sha256Of } from "../support/contents.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";

const FILE_BYTES = 60_000_000;
const { partBytesMin } = S3_LIMITS;
/** Heads of requests, the manifest, the lease. */
const OTHER_BYTES = 200_000;

test("a process killed in the middle of a large file: the next run sends what had not arrived, and leaves no upload", async () => {
  const server = await startS3Server();
  const bucket = server.createBucket("studio");
  const proxy = new TcpProxy(new URL(server.endpoint));
  await proxy.start();
  try {
    const workspace = cliWorkspace();
    const film = someBytes(FILE_BYTES, 1);
    workspace.write("assets/film.bin", film);
    workspace.write(
      "config/comfyvn.json",
      JSON.stringify({ features: { enable_cloud_sync: true, enable_cloud_sync_s3: true } }),
    );
    const app = await App.open({
      platform: bunPlatform(),
      root: workspace.root,
      passphrase: () => PASSPHRASE,
      complain: () => undefined,
    });
    const s3 = { ...server.settingsFor("studio"), endpoint_url: proxy.endpoint };
    await app.vault.create({ cloud_sync: { s3 } }, PASSPHRASE);
    app.close();

    const run = ["run", "--service", "s3", "--path", "assets", "--json"];
    const env = { COMFYVN_SECRETS_KEY: PASSPHRASE };
    await workspace.during(
      run,
      async (child) => {
        proxy.onBytesUp = () => {
          if (proxy.bytesUp > FILE_BYTES / 2) child.kill("SIGKILL");
        };
        await child.exited;
        expect(child.signalCode).toBe("SIGKILL");
      },
      { env },
    );
    proxy.onBytesUp = () => undefined;
    await proxy.idle();
    expect(bucket.objects.has("default/assets/film.bin")).toBe(false);
    const folder = join(workspace.root, "cache/cloud/uploads");
    const file =
      readdirSync(folder, { recursive: true })
        .map(String)
        .find((name) => name.endsWith(".jsonl")) ?? "";
    const recorded = readFileSync(join(folder, file), "utf8").split('"number"').length - 1;
    expect(recorded).toBeGreaterThan(0);

    expect((await workspace.unlocked(run)).status).toBe(0);
    const sentAgain = proxy.bytesUp - FILE_BYTES;
    // Both runs together: the one upload that was begun is the one that was completed.
    expect(server.seen.filter(({ operation }) => operation === "CreateMultipartUpload")).toHaveLength(1);
    expect(sentAgain).toBeLessThanOrEqual(partBytesMin + OTHER_BYTES);
    expect(sha256Of(bucket.objects.get("default/assets/film.bin")?.bytes ?? film.subarray(1))).toBe(sha256Of(film));
    expect(bucket.uploads.size).toBe(0);
    expect(
      readdirSync(folder, { recursive: true })
        .map(String)
        .filter((name) => name.endsWith(".jsonl")),
    ).toEqual([]);
  } finally {
    proxy.kill();
    await server.stop();
  }
}, 60_000);
