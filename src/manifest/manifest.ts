import type { RelativePath } from "../core/paths.ts";

/** One file as the manifest records it (interop format: exactly these fields). */
export interface ManifestEntry {
  readonly path: RelativePath;
  /** Bytes. */
  readonly size: number;
  /** Seconds since the epoch: whole seconds + 1e-9 × nanoseconds, as Python's `st_mtime`. */
  readonly mtime: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** What stands around the entries of a manifest. */
export interface ManifestFields {
  /** The snapshot's name. */
  readonly name: string;
  /** The workspace as the machine that made it names it. */
  readonly root: string;
  /** ISO-8601 UTC, `2025-11-18T04:05:06.789000+00:00`. */
  readonly created_at: string;
}

/** A tree at one moment. `entries` iterates by code point of the path. */
export interface Manifest extends ManifestFields {
  readonly entries: ReadonlyMap<RelativePath, ManifestEntry>;
}

/** Something in scope that could not be recorded. Nothing at or below `path` is ever taken for deleted. */
export interface SkippedPath {
  readonly path: RelativePath;
  readonly reason: SkipReason;
}

export type SkipReason =
  /** No permission, or an I/O error; for a folder that counts for everything below it. */
  | "unreadable"
  /** Was listed, then gone. */
  | "vanished"
  /** Written to while it was hashed. */
  | "changed"
  /** A name that is not valid Unicode, or a path over ENTRY_PATH_LENGTH_MAX. */
  | "invalid_name"
  /** A socket, device or pipe. */
  | "not_a_file"
  /** The vault or one of this product's own folders, under another name or spelling. */
  | "protected"
  /** A symlink, and symlinks are not followed. */
  | "symlink"
  | "symlink_cycle"
  | "symlink_outside"
  | "symlink_broken";
