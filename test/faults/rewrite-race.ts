import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { CephRgw } from "../services/ceph-rgw.ts";
import { Destination } from "./destination.ts";
import { createMirror, Violation } from "./mirror.ts";
import { SeededRandom } from "./seeded-random.ts";

export interface RewriteReport {
  readonly seed: number;
  readonly runs: number;
  /** Runs that published while files were being rewritten. */
  readonly ok: number;
  /** Files that a run found changed under its hands, by code. */
  readonly refusedBy: Readonly<Record<string, number>>;
  /** Files that a scan found changing. */
  readonly skipped: number;
}

export interface RewriteOptions {
  readonly server: CephRgw;
  readonly seed: number;
  readonly runs: number;
}

const SMALL_FILES = 6;
const SMALL_BYTES = 300_000;
/** Sent in parts. */
const LARGE_BYTES = 20_000_000;
const WORKER = join(import.meta.dir, "rewriting-worker.ts");
const CHANGED: ReadonlySet<string> = new Set(["content_mismatch", "file_changed", "file_missing"]);

/**
 * Mirrors files that another process rewrites all the while. Whatever a run publishes, the store holds exactly those
 * bytes; a file that changed under its hands fails by itself.
 * @throws Violation
 */
export async function raceRewriter({ server, seed, runs }: RewriteOptions): Promise<RewriteReport> {
  const bucket = await server.createBucket();
  const mirror = await createMirror({ server, bucket, endpoint: server.endpoint });
  const app = await mirror.openApp();
  const destination = new Destination(server, mirror);
  const folder = join(mirror.root, "assets");
  mkdirSync(folder);
  const files = Array.from({ length: SMALL_FILES }, (_, n) => [join(folder, `small ${n}`), String(SMALL_BYTES)]);
  files.push([join(folder, "large"), String(LARGE_BYTES)]);
  const report = { seed, runs, ok: 0, refusedBy: {} as Record<string, number>, skipped: 0 };
  const run = async (): Promise<void> => {
    const { manifest, summary } = await app.run({ service: "s3", paths: ["assets"], confirm_deletes: true });
    report.skipped += manifest.skipped.length;
    for (const { path, code } of summary.errors) {
      if (!CHANGED.has(code)) throw new Violation(`seed ${seed}: ${path} failed with ${code}`);
      report.refusedBy[code] = (report.refusedBy[code] ?? 0) + 1;
    }
    if (summary.status !== "ok") return;
    report.ok++;
    await destination.requirePublishedTrue();
  };
  const worker = Bun.spawn(
    [process.execPath, WORKER, String(new SeededRandom(seed).integer(1, 2 ** 31)), ...files.flat()],
    {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "inherit",
    },
  );
  try {
    await worker.stdout.getReader().read();
    for (let n = 0; n < runs; n++) await run();
    worker.kill("SIGKILL");
    await worker.exited;
    // Killed between writing and renaming, it leaves what no manifest holds and the other client would miss.
    for (const name of readdirSync(folder)) if (name.endsWith(".tmp")) rmSync(join(folder, name));
    const okBefore = report.ok;
    await run();
    if (report.ok === okBefore) throw new Violation(`seed ${seed}: files at rest were not mirrored`);
    await destination.requireEqual(["assets"]);
    return { ...report, ok: okBefore };
  } finally {
    worker.kill("SIGKILL");
    await worker.exited;
    app.close();
    await server.removeBucket(bucket);
    mirror.remove();
  }
}
