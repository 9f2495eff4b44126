import { SyncError } from "../core/errors.ts";

/** What would become an archive that restore refuses. */
export function tooLarge(): SyncError {
  return new SyncError(
    "backup_too_large",
    "there are more files than one archive takes; back up fewer include paths at once. Nothing was written or removed",
  );
}

/** An archive that is damaged or made to do harm. `fault` goes on from "the archive"; `entry` is a name in it. */
export function archiveFault(fault: string, entry?: string): SyncError {
  return new SyncError("archive_invalid", `the archive ${fault}; nothing more of it is read`, {
    details: entry === undefined ? {} : { entry },
  });
}
