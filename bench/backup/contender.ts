/** One create or restore in a process of its own. Arguments: create ROOT, or restore ROOT NAME. */
import { createBackup } from "../../src/backup/create-backup.ts";
import { restoreBackup } from "../../src/backup/restore-backup.ts";
import { verifyBackup } from "../../src/backup/verify-backup.ts";
import { systemClock } from "../../src/core/clock.ts";
import { noEvents } from "../../src/core/events.ts";
import { ThreadPool } from "../../src/threads/thread-pool.ts";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";

const [what, root = "", name = ""] = process.argv.slice(2);
const platform = bunPlatform();
const engine = {
  root,
  files: platform.files,
  tree: platform.tree,
  openTreeWriter: (folder: string) => platform.openTreeWriter(folder),
  compression: platform.compression,
  newHasher: platform.newHasher,
  reclaimMemory: () => platform.reclaimMemory(),
  events: noEvents,
  clock: systemClock,
  pool: new ThreadPool(platform.threads),
};
if (what === "create") await createBackup(engine, { include: ["assets"], max_backups: 1 });
else if (what === "verify") await verifyBackup(engine, name);
else await restoreBackup(engine, { name });
