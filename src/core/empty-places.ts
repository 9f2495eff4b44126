import type { RelativePath } from "./paths.ts";

/**
 * Those of `places` at and below which there is none of `paths`, in their order. One pass: a request may name hundreds
 * of places in a mirror of a million files.
 */
export function emptyPlaces(places: Iterable<RelativePath>, paths: Iterable<RelativePath>): Set<RelativePath> {
  const empty = new Set(places);
  let lastFolder: RelativePath | undefined;
  for (const path of paths) {
    if (empty.size === 0) break;
    empty.delete(path);
    const folder = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    if (folder === lastFolder) continue;
    lastFolder = folder;
    for (let end = folder.length; end > 0; end = folder.lastIndexOf("/", end - 1)) empty.delete(folder.slice(0, end));
    empty.delete("");
  }
  return empty;
}
