import { type ErrorCode, SyncError } from "../../core/errors.ts";

/** The `code` of a Node-style system error (`ENOENT`, …), or undefined. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** True when the error says that nothing is at the path: no such name, or a parent that is not a folder. */
export function isAbsent(error: unknown): boolean {
  const code = systemCode(error);
  return code === "ENOENT" || code === "ENOTDIR";
}

const READ_WORDS: Readonly<Record<string, string>> = {
  EACCES: "permission denied; let the user that runs this program read it",
  EPERM: "the operation is not permitted; let the user that runs this program read it",
  EISDIR: "it is a folder; name a file",
  EIO: "its disk or server reports an error; check that",
};

/** A failed read as the contract's SyncError. `what` names the thing for the user, e.g. the file's path. */
export function readError(what: string, error: unknown): SyncError {
  if (error instanceof SyncError) return error;
  if (isAbsent(error)) return new SyncError("file_missing", `${what} does not exist`, { cause: error });
  const system = systemCode(error) ?? "unknown error";
  const words = READ_WORDS[system];
  const why = words === undefined ? ` (${system})` : `: ${words}`;
  return new SyncError("file_unreadable", `${what} cannot be read${why}`, { cause: error });
}

const WRITE_CODES: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ENOSPC: ["disk_full", "the disk is full; free space and try again"],
  EDQUOT: ["disk_full", "the disk quota is used up; free space and try again"],
  EFBIG: ["disk_full", "the file is larger than this file system allows"],
  EACCES: ["write_failed", "permission denied; check the folder's permissions"],
  EPERM: ["write_failed", "the operation is not permitted; check the folder's permissions"],
  EROFS: ["write_failed", "the file system is read-only"],
  ENAMETOOLONG: ["write_failed", "the name is too long for this file system"],
  EISDIR: ["write_failed", "a folder has that name"],
  ENOTDIR: ["write_failed", "a file stands where a folder is needed"],
  EEXIST: ["write_failed", "a file stands where a folder is needed"],
  ENOTEMPTY: ["write_failed", "the folder is not empty"],
};

/** A failed write as the contract's SyncError. */
export function writeError(what: string, error: unknown): SyncError {
  if (error instanceof SyncError) return error;
  const system = systemCode(error) ?? "unknown error";
  const [code, why] = WRITE_CODES[system] ?? (["write_failed", `the system said ${system}`] as const);
  return new SyncError(code, `${what} cannot be written: ${why}`, { cause: error });
}
