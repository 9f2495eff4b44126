import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { App, type AppOptions } from "../../src/app.ts";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import type { CephRgw } from "../services/ceph-rgw.ts";

const MAIN = resolve(import.meta.dir, "../../src/main.ts");
const PASSPHRASE = "faults";
const PREFIX = "dev";
const RUN_MS_MAX = 120_000;

/** What must never be: data lost, a manifest that lies, an outcome that the contract does not know. */
export class Violation extends Error {}

/** How a run of the real program ended. */
export interface ProgramResult {
  /** null when it was killed. */
  readonly status: number | null;
  /** What --json printed: a run's result or a problem. */
  readonly answer: {
    readonly code?: string;
    readonly status?: number;
    readonly detail?: string;
    /** Of a refusal for another run. */
    readonly holder?: string;
    readonly since?: string;
    readonly summary?: { readonly status: string; readonly uploads: string[]; readonly errors: unknown[] };
  };
  readonly stderr: string;
}

export interface RunningProgram {
  kill(): void;
  readonly ended: Promise<ProgramResult>;
}

/** A workspace in a temporary folder whose vault leads to a bucket by way of `endpoint`. */
export interface Mirror {
  readonly root: string;
  readonly bucket: string;
  /** Where the files of the mirror start in the bucket, with a slash at the end. */
  readonly filesPrefix: string;
  readonly manifestKey: string;
  readonly leaseKey: string;
  write(path: string, content: string | Uint8Array): void;
  /** Starts `comfyvn-sync run` in a process of its own. */
  start(...paths: readonly string[]): RunningProgram;
  /** Opens it in this process. */
  openApp(options?: Partial<AppOptions>): Promise<App>;
  remove(): void;
}

export interface MirrorOptions {
  readonly server: CephRgw;
  readonly bucket: string;
  readonly endpoint: string;
  /** Of the config. Default the product's own. */
  readonly concurrency?: number;
}

export async function createMirror({ server, bucket, endpoint, concurrency }: MirrorOptions): Promise<Mirror> {
  const folder = mkdtempSync(join(tmpdir(), "comfyvn-faults-"));
  const root = join(folder, "workspace");
  const home = join(folder, "home");
  mkdirSync(root);
  mkdirSync(home);
  const write = (path: string, content: string | Uint8Array) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  };
  const openApp = (options: Partial<AppOptions> = {}) =>
    App.open({
      platform: bunPlatform(),
      root,
      passphrase: () => PASSPHRASE,
      complain: () => undefined,
      ...options,
    });
  const features = { enable_cloud_sync: true, enable_cloud_sync_s3: true };
  write("config/comfyvn.json", JSON.stringify({ features, sync: { concurrency } }));
  const app = await openApp();
  const s3 = { ...server.settingsFor(bucket), endpoint_url: endpoint, prefix: PREFIX };
  await app.vault.create({ cloud_sync: { s3 } }, PASSPHRASE);
  app.close();
  const env = { PATH: "/usr/bin:/bin", HOME: home, TMPDIR: folder, COMFYVN_SECRETS_KEY: PASSPHRASE };
  return {
    root,
    bucket,
    filesPrefix: `${PREFIX}/default/`,
    manifestKey: `${PREFIX}/manifests/default.json`,
    leaseKey: `${PREFIX}/manifests/.default.lease.json`,
    write,
    openApp,
    start: (...paths) => startProgram(["run", "--service", "s3", "--json", "--confirm-deletes", ...paths], root, env),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Starts the real program in a process of its own, with `env` as its whole environment. */
export function startProgram(
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): RunningProgram {
  const child = Bun.spawn([process.execPath, MAIN, ...args], {
    cwd,
    env,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), RUN_MS_MAX);
  const end = async (): Promise<ProgramResult> => {
    const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    await child.exited;
    clearTimeout(timer);
    return { status: child.exitCode, answer: parseAnswer(stdout), stderr };
  };
  return { kill: () => child.kill("SIGKILL"), ended: end() };
}

function parseAnswer(stdout: string): ProgramResult["answer"] {
  try {
    return JSON.parse(stdout) as ProgramResult["answer"];
  } catch {
    return {};
  }
}

/** @throws Violation unless the run ended with status 0 and said `ok` */
export function requireOk({ status, answer, stderr }: ProgramResult): void {
  if (status === 0 && answer.summary?.status === "ok") return;
  throw new Violation(`a run that nothing hinders ended with status ${status}: ${JSON.stringify(answer)} ${stderr}`);
}
