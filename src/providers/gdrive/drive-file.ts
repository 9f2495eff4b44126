import type { drive_v3 } from "googleapis/build/src/apis/drive/v3.js";
import { SyncError } from "../../core/errors.ts";
import { isJsonObject } from "../../core/json.ts";

/** What is asked of Drive about each file. */
export const FILE_FIELDS =
  "id,name,mimeType,parents,driveId,trashed,size,sha256Checksum,headRevisionId,createdTime,modifiedTime,version,appProperties";

export const FOLDER_TYPE = "application/vnd.google-apps.folder";

/** A file or folder as Drive tells of it. */
export interface DriveFile {
  readonly id: string;
  readonly name: string;
  readonly mimeType: string;
  readonly parents: readonly string[];
  /** Of a file in a shared drive. */
  readonly driveId: string | undefined;
  readonly trashed: boolean;
  /** Bytes; undefined for what has no content of its own (folders, Google's documents). */
  readonly size: number | undefined;
  /** Lower-case hex; undefined where Drive has not computed it. */
  readonly sha256: string | undefined;
  /** Opaque; another one for other content. It leads with the file's id, so that whoever has kept it finds the file. */
  readonly version: string;
  readonly createdAtMs: number;
  readonly modifiedAtMs: number;
  /** Grows with each change, that of a property too. */
  readonly changes: bigint;
  /** This app's own. */
  readonly properties: Readonly<Record<string, string>>;
}

/** @throws SyncError `provider_error` for an answer that is no file */
export function readDriveFile(file: drive_v3.Schema$File): DriveFile {
  const { id, name, mimeType, parents, driveId, trashed, size, sha256Checksum, headRevisionId } = file;
  if (typeof id !== "string" || id === "" || typeof name !== "string")
    throw new SyncError("provider_error", "Drive's answer is no file; is a proxy in between?", { retryable: true });
  const bytes = typeof size === "string" && /^\d{1,15}$/.test(size) ? Number(size) : undefined;
  const sha256 = typeof sha256Checksum === "string" ? sha256Checksum.toLowerCase() : undefined;
  return {
    id,
    name,
    mimeType: mimeType ?? "",
    parents: parents ?? [],
    driveId: driveId ?? undefined,
    trashed: trashed === true,
    size: bytes,
    sha256,
    version: `${id}:${sha256?.slice(0, 32) ?? headRevisionId ?? ""}`,
    createdAtMs: timeOf(file.createdTime),
    modifiedAtMs: timeOf(file.modifiedTime),
    changes: typeof file.version === "string" && /^\d+$/.test(file.version) ? BigInt(file.version) : 0n,
    properties: isJsonObject(file.appProperties) ? file.appProperties : {},
  };
}

/** The id in a version that an earlier call answered; undefined for a version of another store. */
export function fileIdIn(version: string): string | undefined {
  return /^([A-Za-z0-9_-]+):/.exec(version)?.[1];
}

/** Below zero when `a` is the newer of two files for one key: the one that counts. The same on every machine. */
export function compareNewest(a: DriveFile, b: DriveFile): number {
  if (a.modifiedAtMs !== b.modifiedAtMs) return b.modifiedAtMs - a.modifiedAtMs;
  if (a.changes !== b.changes) return a.changes > b.changes ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}

function timeOf(text: string | null | undefined): number {
  const ms = Date.parse(text ?? "");
  return Number.isNaN(ms) ? 0 : ms;
}
