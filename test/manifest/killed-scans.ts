import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { indexedScan, indexFile } from "./indexed.ts";
import { scan } from "./support.ts";

/** A workspace for `killScans`. */
export function plantForKills(root: string): void {
  for (let d = 0; d < 10; d++) {
    mkdirSync(join(root, `d${d}`), { recursive: true });
    for (let f = 0; f < 30; f++) writeFileSync(join(root, `d${d}`, `f${f}`), `${d} ${f}`);
  }
}

/**
 * Has another process change and scan `root`, kills it after `delayMs`, and compares a scan with the index it left to
 * one without. @returns what differs, or undefined; and whether there was an index to be wrong
 */
export async function killScans(
  root: string,
  seed: number,
  delayMs: number,
): Promise<{ fault?: string; index: boolean }> {
  const worker = Bun.spawn([process.execPath, join(import.meta.dir, "kill-worker.ts"), root, `${seed}`], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
  });
  try {
    const reader = worker.stdout.getReader();
    await reader.read();
    await Bun.sleep(delayMs);
  } finally {
    worker.kill("SIGKILL");
    await worker.exited;
  }
  const index = await Bun.file(indexFile(root)).exists();
  const indexed = withoutCache((await indexedScan(root)).manifest.entries.values());
  const plain = withoutCache((await scan(root)).manifest.entries.values());
  return indexed === plain ? { index } : { index, fault: `seed ${seed}, killed after ${delayMs} ms` };
}

function withoutCache(entries: Iterable<{ readonly path: string }>): string {
  return JSON.stringify([...entries].filter(({ path }) => !path.startsWith("cache/")));
}
