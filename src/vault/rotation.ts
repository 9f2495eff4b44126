import { SyncError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { formatVault, VAULT_BACKUPS_MAX, type VaultDocument } from "./envelope.ts";

export interface BackupCount {
  /** How many backups the file holds. */
  readonly backups: number;
  /** Old backups, among the newest five, that no longer fit into the largest file that is read. */
  readonly backupsDroppedForSize: number;
}

export interface RotatedVault extends BackupCount {
  readonly bytes: Uint8Array;
}

/** The root as a backup, spelled as it was read. */
export function archived(root: JsonObject, archivedAt: string): JsonObject {
  return { ...root, archived_at: archivedAt };
}

/**
 * The file with at most five backups, fewer when five do not fit.
 * @throws SyncError `vault_too_large` when the root alone does not fit
 */
export function rotatedVault(document: VaultDocument): RotatedVault {
  const newest = document.backups.slice(0, VAULT_BACKUPS_MAX);
  for (let count = newest.length; ; count--) {
    try {
      const bytes = formatVault({ ...document, backups: newest.slice(0, count) });
      return { bytes, backups: count, backupsDroppedForSize: newest.length - count };
    } catch (error) {
      if (count === 0 || !(error instanceof SyncError) || error.code !== "vault_too_large") throw error;
    }
  }
}
