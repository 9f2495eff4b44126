import { compareCodePoints } from "../core/code-point.ts";
import { type BackupName, parseBackupName } from "./backup-name.ts";
import { type BackupEngine, backupsFolder } from "./backup-engine.ts";

/** An archive that has not been given its name: its maker was killed. */
const STALE_TEMP = /^\.(.+)\.[0-9a-f]{16}\.tmp$/;

/** The archives that this product named, oldest first. Whatever else is in the folder is not ours. */
export async function namedBackups(engine: BackupEngine): Promise<BackupName[]> {
  const names = (await engine.files.list(backupsFolder(engine))) ?? [];
  return names
    .map(parseBackupName)
    .filter((name) => name !== undefined)
    .toSorted((a, b) => compareCodePoints(a.name, b.name));
}

/**
 * Removes the oldest archives by name until `keep` are left; never `newest`, whatever the clock said when the others
 * were named. Returns the names removed. @throws SyncError `write_failed`
 */
export async function rotate(engine: BackupEngine, newest: string, keep: number): Promise<string[]> {
  const others = (await namedBackups(engine)).map(({ name }) => name).filter((name) => name !== newest);
  const removed: string[] = [];
  for (const name of others.slice(0, Math.max(0, others.length - (keep - 1)))) {
    if (await engine.files.remove(engine.files.join(backupsFolder(engine), name))) removed.push(name);
  }
  return removed;
}

/** Removes what killed creates have left. Only for who holds the lock: no other create is under way then. */
export async function removeStaleTemps(engine: BackupEngine): Promise<void> {
  const folder = backupsFolder(engine);
  for (const name of (await engine.files.list(folder)) ?? []) {
    const target = STALE_TEMP.exec(name)?.[1];
    if (target !== undefined && parseBackupName(target) !== undefined) {
      await engine.files.remove(engine.files.join(folder, name));
    }
  }
}
