/**
 * Rewrites files for as long as it lives, in place and by rename, with contents of always the same length:
 *
 *   bun rewriting-worker.ts SEED PATH BYTES [PATH BYTES …]
 *
 * Prints a line when each file has been written once.
 */
import { closeSync, openSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { SeededRandom } from "./seeded-random.ts";

const [seed = "", ...rest] = process.argv.slice(2);
const random = new SeededRandom(Number(seed));
const files: { readonly path: string; readonly length: number }[] = [];
for (let n = 0; n + 1 < rest.length; n += 2) files.push({ path: rest[n] ?? "", length: Number(rest[n + 1]) });

for (const { path, length } of files) writeFileSync(path, random.bytes(length));
console.log("ready");

for (;;) {
  const { path, length } = random.pick(files);
  if (random.chance(0.3)) {
    writeFileSync(`${path}.tmp`, random.bytes(length));
    renameSync(`${path}.tmp`, path);
  } else {
    const piece = random.bytes(random.integer(1, Math.min(length, 100_000)));
    const file = openSync(path, "r+");
    writeSync(file, piece, 0, piece.length, random.integer(0, length - piece.length));
    closeSync(file);
  }
  // In bursts, so that some runs get through between two of them.
  await Bun.sleep(random.chance(0.7) ? random.integer(0, 15) : random.integer(100, 500));
}
