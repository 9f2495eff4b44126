import { SyncError } from "../../core/errors.ts";
import type { DriveFile } from "./drive-file.ts";
import { type DrivePlace, isAt } from "./names.ts";

/** What a put is about to store. */
export interface NewContent {
  /** Bytes. */
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** True when `file` has exactly this content, by Drive's own word. */
export function hasContent(file: DriveFile, { size, sha256 }: NewContent): boolean {
  return file.size === size && file.sha256 === sha256;
}

/**
 * Compares what Drive says it has stored with what was sent.
 * @throws SyncError `content_mismatch` when the bytes were damaged on their way; `key_invalid` when Drive keeps the name
 * otherwise than it was given
 */
export function checkStored(file: DriveFile, place: DrivePlace, content: NewContent): void {
  if (!hasContent(file, content)) {
    throw new SyncError(
      "content_mismatch",
      "Drive received other bytes than were sent: they were damaged on their way",
      { retryable: true },
    );
  }
  if (!isAt(file, place)) throw new SyncError("key_invalid", "Drive does not keep this name as it is; rename the file");
}
