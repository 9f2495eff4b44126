import { SyncError } from "../core/errors.ts";

/** Where the archives of a workspace are, relative to its root. */
export const BACKUPS_FOLDER = "backups/cloud";

const LABEL_LENGTH_MAX = 64;

const NAME = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z(?:-([A-Za-z0-9][A-Za-z0-9._-]{0,63}))?\.zip$/;
/** A file name that no path can hide in. */
const PLAIN = /^[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*\.zip$/;
const LABEL = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export interface BackupName {
  readonly name: string;
  /** ISO-8601 UTC, from the name. */
  readonly created_at: string;
  readonly label: string | null;
}

/** `text` as the name of an archive that this product made, or undefined. What passes holds no folder. */
export function parseBackupName(text: string): BackupName | undefined {
  const match = NAME.exec(text);
  if (match === null || text.endsWith("..zip")) return undefined;
  const [, year, month, day, hour, minute, second, label] = match;
  const created_at = `${year}-${month}-${day}T${hour}:${minute}:${second}+00:00`;
  if (Number.isNaN(Date.parse(created_at))) return undefined;
  return { name: text, created_at, label: label ?? null };
}

/**
 * @throws SyncError `backup_name`, or `backup_missing` for a name that is harmless but no backup's: a file of that name in
 * the folder is somebody else's.
 */
export function checkBackupName(text: string): BackupName {
  const name = parseBackupName(text);
  if (name !== undefined) return name;
  if (PLAIN.test(text)) {
    throw new SyncError(
      "backup_missing",
      "there is no backup of that name, and none can have it: they are named like 20251215T080530Z-label.zip; GET /api/backup lists those that there are",
    );
  }
  throw new SyncError(
    "backup_name",
    "a backup is named like 20251215T080530Z-label.zip; GET /api/backup lists those that there are",
  );
}

/** @throws SyncError `backup_label` */
export function checkLabel(label: string): string {
  if (LABEL.test(label) && !label.endsWith(".")) return label;
  throw new SyncError(
    "backup_label",
    `a label is 1 to ${LABEL_LENGTH_MAX} of A-Z a-z 0-9 . _ -, starts with a letter or digit and ends with no dot`,
  );
}

/** `ms` since the epoch as archives are named: `20251215T080530Z`. */
export function backupStamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;
}

export function backupName(stamp: string, label: string | undefined): string {
  return `${stamp}${label === undefined ? "" : `-${label}`}.zip`;
}
