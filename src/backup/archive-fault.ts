import { SyncError } from "../core/errors.ts";

/** An archive that is damaged or made to do harm. `fault` goes on from "the archive"; `entry` is a name in it. */
export function archiveFault(fault: string, entry?: string): SyncError {
  return new SyncError("archive_invalid", `the archive ${fault}; nothing more of it is read`, {
    details: entry === undefined ? {} : { entry },
  });
}
