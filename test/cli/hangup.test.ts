/** A terminal that is closed while a command is at work: it ends in order, unless it was told to go on. */
import { afterAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Bucket } from "../services/s3/s3-store.ts";
import { startS3Server } from "../services/s3-server.ts";
import { type CliWorkspace, cliWorkspace, lineOf, PASSPHRASE } from "./cli-process.ts";

const MAIN = resolve(import.meta.dir, "../../src/main.ts");
const server = await startS3Server();
afterAll(() => server.stop());

const KEY = "default/assets/title.txt";
const LEASE = "manifests/.default.lease.json";
const RUN = ["run", "--service", "s3"];
const env = { COMFYVN_SECRETS_KEY: PASSPHRASE };
let buckets = 0;

async function mirrored(): Promise<{ readonly workspace: CliWorkspace; readonly bucket: Bucket }> {
  const name = `hangup-${++buckets}`;
  const workspace = cliWorkspace();
  const bucket = server.createBucket(name);
  workspace.write("config/comfyvn.json", '{"features": {"enable_cloud_sync": true, "enable_cloud_sync_s3": true}}');
  workspace.write("assets/title.txt", "title");
  const payload = JSON.stringify({ cloud_sync: { s3: server.settingsFor(name) } });
  await workspace.unlocked(["vault", "import", "-"], { stdin: payload });
  return { workspace, bucket };
}

/** An upload that never ends; resolves when it has begun, or the process is over. */
async function hangingUpload(exited: Promise<unknown>) {
  const fault = server.faults.add("PutObject", { kind: "hang" }, { key: KEY });
  const begun = Promise.withResolvers<void>();
  const watch = setInterval(() => fault.fired > 0 && begun.resolve(), 5);
  await Promise.race([begun.promise, exited]);
  clearInterval(watch);
  return fault;
}

function leaseTtlMs(bucket: Bucket): unknown {
  const text = new TextDecoder().decode(bucket.objects.get(LEASE)?.bytes);
  return (JSON.parse(text) as { readonly ttl_ms: unknown }).ttl_ms;
}

test("a run gives its lease back, also when a second signal comes while it does", async () => {
  const { workspace, bucket } = await mirrored();
  await workspace.during(
    RUN,
    async (child) => {
      // Taken, tried once more to see whether the store is honest, given back.
      const again = { kind: "after", run: () => child.kill("SIGHUP") } as const;
      const second = server.faults.add("PutObject", again, { key: LEASE, nth: 3 });
      const fault = await hangingUpload(child.exited);
      child.kill("SIGHUP");
      expect(await child.exited).toBe(129);
      expect([fault.fired, second.fired]).toEqual([1, 1]);
    },
    { env },
  );
  expect(leaseTtlMs(bucket)).toBe(0);
});

test("a run on a terminal that is gone ends in order, though nothing can be written to it any more", async () => {
  const { workspace, bucket } = await mirrored();
  const child = Bun.spawn([process.execPath, MAIN, ...RUN], {
    cwd: workspace.root,
    env: { PATH: "/usr/bin:/bin", HOME: workspace.other, TERM: "xterm", ...env },
    terminal: { cols: 100, rows: 30, data: () => undefined },
  });
  try {
    const fault = await hangingUpload(child.exited);
    child.terminal?.close();
    expect(await child.exited).toBe(129);
    expect(fault.fired).toBe(1);
    expect(leaseTtlMs(bucket)).toBe(0);
  } finally {
    child.kill("SIGKILL");
  }
});

test("what was started by nohup goes on", async () => {
  await cliWorkspace().during(
    ["serve", "--port", "0"],
    async (child) => {
      const address = (await lineOf(child, /^listening on /)).slice("listening on ".length);
      const [, ignored = ""] = /^SigIgn:\s*(\w+)$/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8")) ?? [];
      expect(BigInt(`0x${ignored}`) & 1n).toBe(1n);
      child.kill("SIGHUP");
      const health = await fetch(`${address}/api/health`);
      expect(health.status).toBe(200);
      await health.body?.cancel();
      child.kill("SIGTERM");
      expect(await child.exited).toBe(0);
    },
    { ignoresHangup: true },
  );
});
