import type { ErrorCode } from "../core/errors.ts";
import type { Work } from "../threads/work.ts";
import type { KnownPart } from "./known-files.ts";
import type { DirectoryPart } from "./zip-directory.ts";

export const UNPACK_WORK: Work<UnpackTerms, UnpackJob, UnpackAnswer> = { name: "unpack" };

/** Tells whether a path still leads to what was looked at. */
export interface Identity {
  readonly inode: bigint;
  readonly device: bigint;
  readonly size: number;
}

/** What the jobs of one restore or verification have in common. */
export interface UnpackTerms {
  readonly archive: PlacedFile;
  /** The workspace to write to; undefined when contents are only checked. */
  readonly root: PlacedFile | undefined;
}

export interface PlacedFile {
  readonly native: string;
  readonly identity: Identity;
}

/** Entries in the order of the archive. What they are goes as few arrays: objects would be copied one by one. */
export interface UnpackJob {
  readonly part: DirectoryPart;
  /** undefined in an archive without a manifest. */
  readonly known: KnownPart | undefined;
  /** Places in the part of those that replace a file. */
  readonly replaces: readonly number[];
  /** True when the fault of one file is told and the others go on. */
  readonly goesOn: boolean;
}

export interface UnpackAnswer {
  /** Places in the part of those that are done. */
  readonly done: readonly number[];
  readonly faults: readonly ToldFault[];
}

export interface ToldFault {
  /** In the part; undefined for what is no entry's fault. */
  readonly place: number | undefined;
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>> | undefined;
}
