import { compareCodePoints } from "../core/code-point.ts";
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

/** Gathers entries into the Map of a manifest, one at a time. Of several with one path the last counts. */
export class EntryCollector {
  #map = new Map<RelativePath, ManifestEntry>();
  #last: RelativePath | undefined;
  #inOrder = true;

  add(entry: ManifestEntry): void {
    this.#inOrder &&= this.#last === undefined || compareCodePoints(this.#last, entry.path) < 0;
    this.#last = entry.path;
    this.#map.set(entry.path, entry);
  }

  /** By code point of the path; sorted only when they did not come so. */
  entries(): ReadonlyMap<RelativePath, ManifestEntry> {
    if (!this.#inOrder) this.#map = new Map(sorted(this.#map.values()).map((entry) => [entry.path, entry]));
    this.#inOrder = true;
    return this.#map;
  }
}

/** `entries` as a manifest holds them: by code point of the path. */
export function orderedEntries(entries: Iterable<ManifestEntry>): ReadonlyMap<RelativePath, ManifestEntry> {
  const collector = new EntryCollector();
  for (const entry of entries) collector.add(entry);
  return collector.entries();
}

/**
 * The entries of a manifest by code point of the path. Checked rather than believed: a Map that a caller filled in
 * another order would turn into deletes of files that are there.
 */
export function entriesInOrder(manifest: Manifest): Iterable<ManifestEntry> {
  let last: RelativePath | undefined;
  for (const { path } of manifest.entries.values()) {
    if (last !== undefined && compareCodePoints(last, path) > 0) return sorted(manifest.entries.values());
    last = path;
  }
  return manifest.entries.values();
}

function sorted(entries: Iterable<ManifestEntry>): ManifestEntry[] {
  return [...entries].toSorted((a, b) => compareCodePoints(a.path, b.path));
}
