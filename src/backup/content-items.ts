import type { KnownFiles } from "./known-files.ts";
import type { ContentItem } from "./read-contents.ts";
import type { ArchiveDirectory } from "./zip-directory.ts";

/** What is to be read of the entries at `places`, made one by one. @param replaces places at whose paths a file stands */
export function* contentItems(
  directory: ArchiveDirectory,
  known: KnownFiles | undefined,
  places: Iterable<number>,
  replaces: ReadonlySet<number>,
): Generator<ContentItem> {
  for (const place of places) {
    yield { place, entry: directory.entry(place), expected: known?.get(place), replaces: replaces.has(place) };
  }
}
