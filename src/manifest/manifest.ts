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

/** A tree at one moment. `entries` iterates by code point of the path. */
export interface Manifest {
  /** The snapshot's name. */
  readonly name: string;
  /** The workspace as the machine that made it names it. */
  readonly root: string;
  /** ISO-8601 UTC, `2025-11-18T04:05:06.789000+00:00`. */
  readonly created_at: string;
  readonly entries: ReadonlyMap<RelativePath, ManifestEntry>;
}

/** Something in scope that could not be recorded. Nothing at or below `path` is ever taken for deleted. */
export interface SkippedPath {
  readonly path: RelativePath;
  readonly reason: SkipReason;
}

export type SkipReason =
  | "unreadable"
  | "vanished"
  | "changed"
  | "invalid_name"
  | "not_a_file"
  | "symlink"
  | "symlink_cycle"
  | "symlink_outside"
  | "symlink_broken";
