/** Creates or restores in a process of its own and prints how many files and how much memory it took. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { createBackup } from "../../src/backup/create-backup.ts";
import { restoreBackup } from "../../src/backup/restore-backup.ts";
import { engineAt } from "./backup-bench.ts";

const [what, root = "", name = ""] = process.argv.slice(2);
let files: number;
if (what === "create") {
  files = (await createBackup(engineAt(root), { include: ["assets"] })).files;
} else {
  rmSync(join(root, "assets"), { recursive: true });
  files = (await restoreBackup(engineAt(root), { name })).restored.length;
}
console.log(JSON.stringify({ files, rssMib: Math.round(process.resourceUsage().maxRSS / 1024) }));
