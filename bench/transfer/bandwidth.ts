/**
 * How well `sync.bandwidth_limit_bytes_per_s` is kept: a run of small and large files at 5 MB/s, counted on the wire.
 *
 *   bun bench/transfer/bandwidth.ts        (a server as for main.ts)
 *
 * Prints the rate over ten seconds in the middle of the run and its distance from the limit.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App } from "../../src/app.ts";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import { CephRgw } from "../../test/services/ceph-rgw.ts";
import { TcpProxy } from "../../test/support/tcp-proxy.ts";
import { fill } from "./fill.ts";

const LIMIT = 5_000_000;
const FROM_MS = 1_000;
const WINDOW_MS = 10_000;

const rgw = new CephRgw(process.env["COMFYVN_TEST_RGW"] ?? "http://127.0.0.1:7480");
const root = mkdtempSync(join(tmpdir(), "comfyvn-bench-"));
const bucket = await rgw.createBucket();
const proxy = new TcpProxy(new URL(rgw.endpoint));
try {
  await proxy.start();
  fill(join(root, "assets/small"), 500, () => 30_000);
  fill(join(root, "assets/large"), 2, () => 22_000_000);
  mkdirSync(join(root, "config"));
  const features = { enable_cloud_sync: true, enable_cloud_sync_s3: true };
  const config = { features, sync: { bandwidth_limit_bytes_per_s: LIMIT } };
  writeFileSync(join(root, "config/comfyvn.json"), JSON.stringify(config));
  const passphrase = "bench";
  const app = await App.open({
    platform: bunPlatform(),
    root,
    passphrase: () => passphrase,
    complain: (line) => console.error(line),
  });
  const s3 = { ...rgw.settingsFor(bucket), endpoint_url: proxy.endpoint };
  await app.vault.create({ cloud_sync: { s3 } }, passphrase);
  const samples: { readonly atMs: number; readonly bytes: number }[] = [];
  const startedAtMs = performance.now();
  const timer = setInterval(() => samples.push({ atMs: performance.now() - startedAtMs, bytes: proxy.bytesUp }), 100);
  const { summary } = await app.run({ service: "s3", paths: ["assets"] });
  clearInterval(timer);
  app.close();
  const first = samples.find(({ atMs }) => atMs >= FROM_MS);
  const last = samples.find(({ atMs }) => atMs >= FROM_MS + WINDOW_MS);
  if (first === undefined || last === undefined) throw new Error("the run was too short to measure");
  const rate = ((last.bytes - first.bytes) / (last.atMs - first.atMs)) * 1_000;
  const off = (rate / LIMIT - 1) * 100;
  console.log(`${summary.status}: ${(rate / 1e6).toFixed(3)} MB/s over ten seconds, ${off.toFixed(2)} % off the limit`);
} finally {
  proxy.kill();
  await rgw.removeBucket(bucket);
  rmSync(root, { recursive: true, force: true });
}
