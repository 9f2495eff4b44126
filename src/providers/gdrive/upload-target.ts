import type { DriveConnection } from "./connection.ts";
import type { FileMetadata } from "./drive-files.ts";
import { FILE_FIELDS } from "./drive-file.ts";

/** The file that an upload makes, or the one whose content it replaces. */
export interface UploadTarget {
  readonly fileId: string;
  readonly isNew: boolean;
  /** With a new file's id and folder. */
  readonly metadata: FileMetadata;
  readonly contentType: string;
}

/** Where an upload of either kind begins. */
export function uploadRequest(
  { endpoints }: DriveConnection,
  { fileId, isNew }: UploadTarget,
  uploadType: "multipart" | "resumable",
): { readonly method: string; readonly url: string } {
  const query = new URLSearchParams({ uploadType, supportsAllDrives: "true", fields: FILE_FIELDS });
  const path = isNew ? "" : `/${encodeURIComponent(fileId)}`;
  return {
    method: isNew ? "POST" : "PATCH",
    url: `${endpoints.origin}/upload/drive/v3/files${path}?${query.toString()}`,
  };
}
