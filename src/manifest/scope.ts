import { compareCodePoints } from "../core/code-point.ts";
import { SyncError } from "../core/errors.ts";
import { normaliseInclude, type RelativePath } from "../core/paths.ts";
import { compileExcludes, DEFAULT_EXCLUDE } from "./exclude.ts";
import { isHardExcluded, mayHardExcludeAny } from "./hard-exclusion.ts";
import { inherited, type NamesRule, type PathRule } from "./inherited.ts";

/** What an installation mirrors unless its settings or a request say otherwise (shared with the Python studio). */
export const DEFAULT_INCLUDE: readonly string[] = [
  "assets",
  "config",
  "defaults",
  "docs",
  "extensions",
  "models",
  "scripts",
  "studio",
];

/** What a backup holds unless told otherwise. */
export const DEFAULT_BACKUP_INCLUDE: readonly string[] = ["data", "assets", "config"];

export const INCLUDES_MAX = 1_000;

/** Which paths an operation is about. The scan and every decision about remote entries ask the same scope. */
export interface Scope {
  /** Normalised, by code point, none inside another. `[""]` is the whole workspace. */
  readonly include: readonly RelativePath[];
  /** Normalised include paths inside one of `include`: they hold nothing more, yet somebody named them. */
  readonly includeInside: readonly RelativePath[];
  /** As given. */
  readonly exclude: readonly string[];
  /** True when a file at `path` is to be recorded, and may be taken for deleted when it is gone. */
  readonly holds: PathRule;
}

/** Excludes and hard exclusions, for paths whose folders have been asked before. */
export interface ExcludesHere {
  /** True when one of them names `path` itself. */
  readonly excludes: PathRule;
  /** False when `excludes` is surely false for all names of a folder. */
  readonly mayExcludeAny: NamesRule;
}

export interface ScopeOptions {
  /** Default DEFAULT_INCLUDE. An empty list holds nothing. */
  readonly include?: readonly string[] | undefined;
  /** Default DEFAULT_EXCLUDE. */
  readonly exclude?: readonly string[] | undefined;
}

/** @throws SyncError `bad_path` (a bad include, or more than INCLUDES_MAX), `bad_pattern` (exclude.ts) */
export function createScope(options: ScopeOptions = {}): Scope {
  const { include, includeInside } = foldIncludes(options.include ?? DEFAULT_INCLUDE);
  const exclude = [...(options.exclude ?? DEFAULT_EXCLUDE)];
  const excludes = inherited(compileExcludesHere(exclude).excludes);
  const included = new Set(include);
  const includes = included.has("") ? () => true : inherited((path) => included.has(path));
  return { include, includeInside, exclude, holds: (path) => includes(path) && !excludes(path) };
}

/** What a scope with these exclude patterns leaves out. @throws SyncError `bad_pattern` (exclude.ts) */
export function compileExcludesHere(exclude: readonly string[]): ExcludesHere {
  const { matches, mayMatchAny } = compileExcludes(exclude);
  return {
    excludes: (path) => matches(path) || isHardExcluded(path),
    mayExcludeAny: (prefix, names) => mayMatchAny(prefix, names) || mayHardExcludeAny(prefix, names),
  };
}

/** Sorted, each once; those that another one already holds stand apart. */
function foldIncludes(paths: readonly string[]): Pick<Scope, "include" | "includeInside"> {
  if (paths.length > INCLUDES_MAX) throw new SyncError("bad_path", `at most ${INCLUDES_MAX} include paths are allowed`);
  const given = new Set(paths.map(normaliseInclude));
  const isGiven = inherited((path) => given.has(path));
  const isInside = (path: RelativePath) => path !== "" && (given.has("") || isBelow(path, isGiven));
  const sorted = [...given].toSorted(compareCodePoints);
  return { include: sorted.filter((path) => !isInside(path)), includeInside: sorted.filter(isInside) };
}

/** True when a folder above `path` satisfies the inherited `rule`. */
function isBelow(path: RelativePath, rule: PathRule): boolean {
  const slash = path.lastIndexOf("/");
  return slash >= 0 && rule(path.slice(0, slash));
}
