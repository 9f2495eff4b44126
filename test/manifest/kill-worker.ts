/** Changes a workspace and scans it with its index, over and over, until it is killed. Arguments: root, seed. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { seededRandom } from "../support/virtual-clock.ts";
import { indexedScan } from "./indexed.ts";

const [root = "", seed = "0"] = process.argv.slice(2);
const random = seededRandom(Number(seed));
let length = 0;
console.log("ready");
for (;;) {
  for (let k = 0; k < 20; k++) {
    // Another length each time: two saves in one tick of the file system's clock must not look alike here.
    length++;
    writeFileSync(join(root, `d${Math.floor(random() * 10)}`, `f${Math.floor(random() * 30)}`), "x".repeat(length));
  }
  await indexedScan(root);
}
