import { createHash } from "node:crypto";

export const FOLDER_TYPE = "application/vnd.google-apps.folder";

/** What a member of a shared drive, or who a file is shared with, may do; each more than the one before. */
export const ROLES = ["reader", "commenter", "writer", "fileOrganizer", "organizer", "owner"] as const;
export type Role = (typeof ROLES)[number];

/** Bytes of a file and what Drive computed over them as they arrived. */
export interface Content {
  readonly bytes: Uint8Array;
  readonly md5: string;
  readonly sha1: string;
  readonly sha256: string;
}

/** A file or folder at one moment. Records are never changed: a change is a new record in the store. */
export interface FileRecord {
  readonly id: string;
  readonly name: string;
  readonly mimeType: string;
  /** The folder it lies in; undefined for the root of a My Drive and of a shared drive. */
  readonly parent: string | undefined;
  /** The shared drive; undefined in a My Drive. */
  readonly driveId: string | undefined;
  /** In a My Drive the address of who owns it; undefined in a shared drive. */
  readonly owner: string | undefined;
  readonly trashed: boolean;
  readonly properties: ReadonlyMap<string, string>;
  /** Properties of each app, which no other app sees. */
  readonly appProperties: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly description: string | undefined;
  readonly createdTimeMs: number;
  readonly modifiedTimeMs: number;
  /** Grows with every change. */
  readonly version: number;
  /** Absent for folders. */
  readonly content: Content | undefined;
  readonly headRevisionId: string | undefined;
  readonly originalFilename: string | undefined;
  /** The app that made it, which is all that the scope drive.file shows. */
  readonly madeBy: string | undefined;
  /** Directly, besides what the folder above gives. */
  readonly sharedWith: ReadonlyMap<string, Role>;
}

export function contentOf(bytes: Uint8Array): Content {
  const digest = (algorithm: string) => createHash(algorithm).update(bytes).digest("hex");
  return { bytes, md5: digest("md5"), sha1: digest("sha1"), sha256: digest("sha256") };
}
