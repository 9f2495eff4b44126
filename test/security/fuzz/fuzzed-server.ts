import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const MAIN = resolve(import.meta.dir, "../../../src/main.ts");
const PASSPHRASE = "fuzzed";

export interface FuzzedServer {
  readonly base: string;
  readonly port: number;
  /** Resident memory of the process, bytes. */
  rssBytes(): number;
  /** False once the process has ended by itself. */
  alive(): boolean;
  stop(): Promise<void>;
}

/** The real program in a process of its own, over a workspace below `folder` that mirrors to a folder beside it. */
export async function startFuzzedServer(folder: string): Promise<FuzzedServer> {
  const root = join(folder, "workspace");
  for (const path of ["assets/deep", "config", "data"]) mkdirSync(join(root, path), { recursive: true });
  mkdirSync(join(folder, "nas"));
  writeFileSync(join(root, "assets/deep/a.png"), "A");
  writeFileSync(join(root, "data/save.json"), "{}");
  const features = { enable_cloud_sync: true, enable_cloud_sync_local: true, enable_cloud_sync_s3: true };
  const sync = { local: { path: join(folder, "nas") } };
  writeFileSync(join(root, "config/comfyvn.json"), JSON.stringify({ features, sync }));
  const env = { PATH: process.env["PATH"] ?? "", HOME: folder, TMPDIR: folder, COMFYVN_SECRETS_KEY: PASSPHRASE };
  const child = Bun.spawn([process.execPath, MAIN, "serve", "--root", root, "--port", "0"], {
    env,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const { value } = await child.stdout.getReader().read();
  const base = new TextDecoder().decode(value).replace("listening on ", "").trim();
  return {
    base,
    port: Number(new URL(base).port),
    rssBytes: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]) * 1024,
    alive: () => child.exitCode === null && child.signalCode === null,
    stop: async () => {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}
