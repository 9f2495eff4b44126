import type { CreatedBackup, RestoredBackup } from "../app.ts";
import { EXIT } from "./command-line.ts";

/** Something could not be read: it is not in the archive, and older archives stay. */
export function hasUnread({ skipped }: Pick<CreatedBackup, "skipped">): boolean {
  return skipped.some(({ reason }) => reason === "unreadable");
}

/** Exit status of a create. What is never archived (links, names of other systems) is told and is no failure. */
export function createdStatus(backup: Pick<CreatedBackup, "skipped">): number {
  const isPart = hasUnread(backup) || backup.skipped.some(({ reason }) => reason === "changed");
  return isPart ? EXIT.partial : EXIT.ok;
}

/** Exit status of a restore. */
export function restoredStatus({ skipped_reasons }: Pick<RestoredBackup, "skipped_reasons">): number {
  return skipped_reasons.missing === undefined ? EXIT.ok : EXIT.partial;
}
