import type { RelativePath } from "../core/paths.ts";

export type PathRule = (path: RelativePath) => boolean;

/**
 * What a PathRule says of many files of one folder, roughly: false when it is surely false for all of them.
 * @param prefix the folder's path and `/`, or "" @param names each followed by NUL
 */
export type NamesRule = (prefix: string, names: string) => boolean;

/**
 * `rule` made to hold for everything below a path for which it holds. The answer for the last folder is remembered:
 * callers ask in path order, so most questions cost one call of `rule`.
 */
export function inherited(rule: PathRule): PathRule {
  let knownFolder: RelativePath | undefined;
  let knownAnswer = false;
  return (path) => {
    const slash = path.lastIndexOf("/");
    if (slash >= 0) {
      const folder = path.slice(0, slash);
      if (folder !== knownFolder) {
        knownAnswer = holdsSomewhere(rule, folder);
        knownFolder = folder;
      }
      if (knownAnswer) return true;
    }
    return rule(path);
  };
}

/** True when `rule` holds for `path` or for a folder above it. */
function holdsSomewhere(rule: PathRule, path: RelativePath): boolean {
  for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
    if (rule(path.slice(0, slash))) return true;
  }
  return rule(path);
}
