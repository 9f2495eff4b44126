/** `bun run soak:index [SECONDS]`: kills scans at random moments for so long (default 300) and checks each that follows. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { killScans, plantForKills } from "./killed-scans.ts";

const seconds = Number(process.argv[2] ?? 300);
if (!(seconds > 0)) {
  console.error("usage: bun run soak:index [SECONDS]");
  process.exit(2);
}
const root = mkdtempSync(join(tmpdir(), "comfyvn-soak-"));
plantForKills(root);
let kills = 0;
try {
  for (const end = Date.now() + seconds * 1_000; Date.now() < end; kills++) {
    const { fault } = await killScans(root, kills, Math.random() * 150);
    if (fault === undefined) continue;
    console.error(`the scan with the index differs from the one without: ${fault}`);
    process.exitCode = 1;
    break;
  }
  console.log(`${kills} scans killed`);
} finally {
  rmSync(root, { recursive: true, force: true });
}
