/** Creates, verifies or restores in a process of its own and prints how many files and how much memory it took. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createBackup } from "../../src/backup/create-backup.ts";
import { restoreBackup } from "../../src/backup/restore-backup.ts";
import { verifyBackup } from "../../src/backup/verify-backup.ts";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import { ThreadPool } from "../../src/threads/thread-pool.ts";
import { engineAt } from "./backup-bench.ts";

const [what, root = "", name = ""] = process.argv.slice(2);
// As app.ts does: the threads' memory counts too.
const engine = engineAt(root, { pool: new ThreadPool(bunPlatform().threads) });
let files: number;
if (what === "create") {
  files = (await createBackup(engine, { include: ["assets"] })).files;
} else if (what === "verify") {
  const { ok, files: verified } = await verifyBackup(engine, name);
  files = ok ? verified : -1;
} else {
  rmSync(join(root, "assets"), { recursive: true });
  files = (await restoreBackup(engine, { name })).restored.length;
}
console.log(JSON.stringify({ files, rssMib: peakMib() }));

/** Of this process. Not `maxRSS`: Linux counts there what the process that started this one had once held. */
function peakMib(): number {
  return Math.round(Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) / 1024);
}
