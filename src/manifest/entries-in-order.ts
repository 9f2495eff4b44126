import { compareCodePoints } from "../core/code-point.ts";
import type { RelativePath } from "../core/paths.ts";
import type { Manifest, ManifestEntry } from "./manifest.ts";
import { RecordedEntries } from "./recorded-entries.ts";

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
  // Were found to be in order when they came about, and cannot change.
  if (manifest.entries instanceof RecordedEntries) return manifest.entries.values();
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
