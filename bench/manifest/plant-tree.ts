/** `bun plant-tree.ts ROOT FILES FOLDERS LEAST MOST`: files of LEAST to MOST bytes below ROOT/assets, the same each time. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [root = ""] = process.argv.slice(2);
const [files = 0, folders = 1, least = 0, most = least] = process.argv.slice(3).map(Number);
let state = 1;
for (let folder = 0; folder < folders; folder++) {
  const path = join(root, "assets", `chapter-${Math.floor(folder / 40)}`, `scene-${folder}`);
  mkdirSync(path, { recursive: true });
  for (let file = 0; file < files / folders; file++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const size = least + Math.floor((state / 2 ** 32) * (most - least + 1));
    writeFileSync(join(path, `frame-${file}.png`), new Uint8Array(size).fill(state));
  }
}
