import { SyncError } from "../core/errors.ts";
import { isWithin } from "../core/paths.ts";
import { Glob, hasWildcard } from "./glob.ts";
import { inherited, type NamesRule, type PathRule } from "./inherited.ts";

/** What an installation excludes unless its settings say otherwise (shared with the Python studio). */
export const DEFAULT_EXCLUDE: readonly string[] = [
  "__pycache__",
  ".git",
  ".mypy_cache",
  ".pytest_cache",
  ".ruff_cache",
  ".venv",
  "*.pyc",
  "*.pyo",
  "*.swp",
  "*.tmp",
  "cache",
  "cache/*",
  "logs",
  "logs/*",
  "tmp",
  "tmp/*",
];

export const PATTERNS_MAX = 256;
export const PATTERN_LENGTH_MAX = 1_024;
/** Of all patterns together: bounds the work that one path can cost. */
const PATTERNS_LENGTH_MAX = 16_384;

export interface Excludes {
  /** The rule on this one path: a pattern without wildcards excludes itself and what is below; others as fnmatchcase. */
  readonly matches: PathRule;
  /** False when `matches` is surely false for all names of a folder. */
  readonly mayMatchAny: NamesRule;
  /** `matches` for the path or a folder above it: a scan does not enter a folder that is excluded. */
  readonly excludes: PathRule;
}

/** @throws SyncError `bad_pattern` over the limits above, or for a pattern that is not valid Unicode */
export function compileExcludes(patterns: readonly string[]): Excludes {
  checkLimits(patterns);
  const globs = patterns.filter(hasWildcard).map((pattern) => new Glob(pattern));
  const folders = foldersByFirstSegment(patterns.filter((pattern) => !hasWildcard(pattern)));
  const isInFolder: PathRule = (path) =>
    folders.get(firstSegment(path))?.some((folder) => isWithin(path, folder)) ?? false;
  const matches: PathRule = (path) => isInFolder(path) || globs.some((glob) => glob.matches(path));
  const mayMatchAny: NamesRule = (prefix, names) =>
    (prefix === "" ? folders.size > 0 : folders.has(firstSegment(prefix))) ||
    globs.some((glob) => glob.mayMatchAny(prefix, names));
  return { matches, mayMatchAny, excludes: inherited(matches) };
}

/** Patterns without wildcards, by what few paths share with any of them. */
function foldersByFirstSegment(patterns: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const folders = new Map<string, string[]>();
  for (const pattern of patterns) {
    const folder = pattern.replace(/(?<!\/)\/+$/, "");
    // An empty pattern names nothing, not the root.
    if (folder === "") continue;
    const first = firstSegment(folder);
    folders.set(first, [...(folders.get(first) ?? []), folder]);
  }
  return folders;
}

function firstSegment(path: string): string {
  const slash = path.indexOf("/");
  return slash < 0 ? path : path.slice(0, slash);
}

function checkLimits(patterns: readonly string[]): void {
  if (patterns.length > PATTERNS_MAX)
    throw new SyncError("bad_pattern", `at most ${PATTERNS_MAX} exclude patterns are allowed`);
  let total = 0;
  for (const pattern of patterns) {
    total += pattern.length;
    if (pattern.length > PATTERN_LENGTH_MAX) {
      throw new SyncError("bad_pattern", `an exclude pattern is longer than ${PATTERN_LENGTH_MAX} characters`);
    }
    if (!pattern.isWellFormed()) throw new SyncError("bad_pattern", "an exclude pattern is not valid Unicode");
  }
  if (total > PATTERNS_LENGTH_MAX) {
    throw new SyncError(
      "bad_pattern",
      `the exclude patterns are longer than ${PATTERNS_LENGTH_MAX} characters together`,
    );
  }
}
