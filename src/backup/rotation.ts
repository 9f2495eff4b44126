import { compareCodePoints } from "../core/code-point.ts";
import { type SyncError, toSyncError } from "../core/errors.ts";
import type { RelativePath } from "../core/paths.ts";
import { type BackupName, parseBackupName } from "./backup-name.ts";
import { type BackupEngine, backupsFolder } from "./backup-engine.ts";
import { mayHoldFiles } from "./lost-places.ts";

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

export interface Rotation {
  /** Names of the archives removed. */
  readonly removed: readonly string[];
  /** Names of those that stay though it was their turn: they hold files of which the newest has none. */
  readonly kept: readonly string[];
  /** Why one that had to go stays. */
  readonly fault: SyncError | undefined;
}

/**
 * Removes the oldest archives by name until `keep` are left; never `newest`, whatever the clock said when the others
 * were named, and none that holds files at the places that `newest` has lost. A folder or link with the name of an archive
 * is not ours: it neither goes nor counts.
 */
export async function rotate(
  engine: BackupEngine,
  newest: string,
  keep: number,
  lost: ReadonlySet<RelativePath>,
): Promise<Rotation> {
  const { files } = engine;
  const others: string[] = [];
  for (const { name } of await namedBackups(engine)) {
    if (name === newest) continue;
    if ((await files.lstat(files.join(backupsFolder(engine), name)))?.kind === "file") others.push(name);
  }
  const removed: string[] = [];
  const kept: string[] = [];
  let fault: SyncError | undefined;
  for (const name of others.slice(0, Math.max(0, others.length - (keep - 1)))) {
    if (await mayHoldFiles(engine, name, lost)) {
      kept.push(name);
      continue;
    }
    try {
      if (await files.remove(files.join(backupsFolder(engine), name))) removed.push(name);
    } catch (error) {
      fault ??= toSyncError(error);
    }
  }
  return { removed, kept, fault };
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
