import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** `count` files that do not compress, fifty folders wide. @param size bytes of the file of that index */
export function fill(folder: string, count: number, size: (index: number) => number): void {
  for (let i = 0; i < count; i++) {
    const sub = join(folder, `${i % 50}`);
    mkdirSync(sub, { recursive: true });
    const bytes = new Uint8Array(size(i));
    for (let at = 0; at < bytes.length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
    writeFileSync(join(sub, `${i}.bin`), bytes);
  }
}
