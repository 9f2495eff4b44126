import { type BackupEngine, backupsFolder } from "./backup-engine.ts";
import { BACKUPS_FOLDER } from "./backup-name.ts";
import { namedBackups } from "./rotation.ts";

export interface ListedBackup {
  readonly name: string;
  /** Relative to the workspace. */
  readonly path: string;
  /** Of the archive. */
  readonly bytes: number;
  /** ISO-8601 UTC, from the name. */
  readonly created_at: string;
  readonly label: string | null;
}

export interface BackupList {
  /** Newest first. */
  readonly backups: readonly ListedBackup[];
}

/** The archives that this product named, by their names alone: none is opened. */
export async function listBackups(engine: BackupEngine): Promise<BackupList> {
  const backups: ListedBackup[] = [];
  for (const { name, created_at, label } of (await namedBackups(engine)).toReversed()) {
    const stat = await engine.files.stat(engine.files.join(backupsFolder(engine), name));
    if (stat?.kind !== "file") continue;
    backups.push({ name, path: `${BACKUPS_FOLDER}/${name}`, bytes: stat.size, created_at, label });
  }
  return { backups };
}
