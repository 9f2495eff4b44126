import type { Work } from "../threads/work.ts";
import type { FolderPlace, ListRules } from "./folder-lister.ts";
import type { SkippedPath, SkipReason } from "./manifest.ts";

export const HASH_WORK: Work<HashTerms, HashJob, HashAnswer> = { name: "hash" };

/** Files hashed between two looks at what else is to be done; a folder with more of them makes several jobs. */
export const JOB_FILES_MAX = 2_048;

/** All that jobs have in common. Plain data, like jobs and answers: another thread is told. */
export interface HashTerms {
  /** Of the scan, in this process. */
  readonly scan: number;
  readonly rules: ListRules;
}

interface AnyJob {
  /** What the record calls the folder. */
  readonly key: string;
  /** Records that may know some of the files. */
  readonly known: readonly Uint8Array<ArrayBuffer>[];
  /** When the job was given, milliseconds since the epoch. */
  readonly nowMs: number;
}

/** A folder to be listed, and its files hashed unless they are too many. */
export interface FolderJob extends AnyJob {
  readonly kind: "folder";
  readonly folder: FolderPlace;
  readonly filesMax: number;
}

/** Some files of one folder to be hashed. */
export interface FilesJob extends AnyJob {
  readonly kind: "files";
  /** Native path of the folder with its last separator: `inside + name` is a file. */
  readonly inside: string;
  /** Place of the record among those of the folder. */
  readonly part: number;
  /** Joined by NUL. */
  readonly names: string;
  /** True for a large file alone. False: a large file is only measured, to be hashed by a job of its own. */
  readonly takesLarge: boolean;
}

export type HashJob = FolderJob | FilesJob;

export interface FilesAnswer {
  readonly kind: "files";
  /** A record of the job's files; undefined when the only known one holds as it is. */
  readonly record: Uint8Array<ArrayBuffer> | undefined;
  /** Files whose known hash holds. */
  readonly hits: number;
}

export interface FolderAnswer {
  readonly kind: "folder";
  /** By code point of the name and `/`. */
  readonly folders: readonly string[];
  readonly links: readonly string[];
  readonly skipped: readonly SkippedPath[];
  readonly fileCount: number;
  /** Of the files; undefined when there are none, and when they are too many: then `names` has them. */
  readonly files: FilesAnswer | undefined;
  /** By code point, joined by NUL. */
  readonly names: string | undefined;
}

/** A folder that cannot be listed. */
export interface UnlistedAnswer {
  readonly kind: "unlisted";
  readonly reason: SkipReason;
}

export type HashAnswer = FilesAnswer | FolderAnswer | UnlistedAnswer;

/** The native folder of a file, and its name there. */
export function splitNative(native: string): { readonly inside: string; readonly name: string } {
  const cut = native.lastIndexOf("/") + 1;
  return { inside: native.slice(0, cut), name: native.slice(cut) };
}
