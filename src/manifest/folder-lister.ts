import { sortedByCodePoint } from "../core/code-point.ts";
import { SyncError } from "../core/errors.ts";
import type { RelativePath } from "../core/paths.ts";
import type { FileKind, TreeListing, TreeReader } from "../platform/contract.ts";
import { ENTRY_PATH_LENGTH_MAX } from "./entry-path.ts";
import { isHardExcluded, ownFolderInOtherCase } from "./hard-exclusion.ts";
import type { SkippedPath, SkipReason } from "./manifest.ts";
import { compileExcludesHere, type ExcludesHere } from "./scope.ts";
import type { RealPlace } from "./symlinks.ts";

/** A folder of the scan; plain data, so that another thread can be told. */
export interface FolderPlace {
  /** "" is the root. */
  readonly path: RelativePath;
  readonly native: string;
  /** Set for what was reached through a symlink; all else is where its path says. */
  readonly real: RealPlace | undefined;
}

/** What decides which children of a folder are looked at; plain data. */
export interface ListRules {
  /** Patterns, as checked by createScope. */
  readonly exclude: readonly string[];
  /** Native real path of the workspace. */
  readonly root: string;
}

/** The children of a folder that are in scope, by name. */
export interface FolderListing {
  /** By code point, each once. */
  readonly files: readonly string[];
  /** `files` joined by NUL. */
  readonly fileNames: string;
  readonly folders: readonly string[];
  readonly links: readonly string[];
  readonly skipped: readonly SkippedPath[];
}

/** What the native paths of everything in a folder begin with. */
export function insideOf(native: string): string {
  return native.endsWith("/") ? native : `${native}/`;
}

/** What the paths of everything in a folder begin with. */
export function prefixOf(path: RelativePath): string {
  return path === "" ? "" : `${path}/`;
}

/** A folder in another. */
export function folderIn(folder: FolderPlace, name: string): FolderPlace {
  return {
    path: prefixOf(folder.path) + name,
    native: insideOf(folder.native) + name,
    real: realIn(folder.real, name),
  };
}

function realIn(real: RealPlace | undefined, name: string): RealPlace | undefined {
  return real && { ...real, path: prefixOf(real.path) + name };
}

/** Why an error of the file system keeps a file or folder out of the manifest. Other errors are thrown on. */
export function skipReasonOf(error: unknown): SkipReason {
  if (error instanceof SyncError && error.code === "file_missing") return "vanished";
  if (error instanceof SyncError && error.code === "file_unreadable") return "unreadable";
  throw error;
}

/** Lists folders and sorts out what a scan is about. The same in every thread. */
export class FolderLister {
  readonly #rules: ExcludesHere;
  readonly #tree: TreeReader;
  readonly #root: string;

  constructor(tree: TreeReader, rules: ListRules) {
    this.#rules = compileExcludesHere(rules.exclude);
    this.#tree = tree;
    this.#root = rules.root;
  }

  /** True when a rule names the path itself; folders above it have been asked before. */
  excludesHere(path: RelativePath): boolean {
    return this.#rules.excludes(path);
  }

  /** The children of a folder, or why it cannot be listed. */
  list(folder: FolderPlace): FolderListing | SkipReason {
    let there: TreeListing;
    try {
      there = this.#tree.list(folder.native);
    } catch (error) {
      return skipReasonOf(error);
    }
    const skipped: SkippedPath[] = [];
    this.#skipInvalid(folder, there.invalid, skipped);
    this.#kept(folder, "other", there.others, skipped);
    const all = eachOnce(sortedByCodePoint(there.files));
    const allNames = all.join("\0");
    const files = this.#kept(folder, "file", all, skipped, allNames);
    const fileNames = files === all ? allNames : files.join("\0");
    const folders = this.#kept(folder, "directory", there.folders, skipped);
    const links = this.#kept(folder, "symlink", there.symlinks, skipped);
    return { files, fileNames, folders, links, skipped };
  }

  /** By code point, and joined by NUL, when surely no rule is about any of the names and all of them can be recorded. */
  plainNames(
    folder: FolderPlace,
    all: readonly string[],
  ): { readonly names: readonly string[]; readonly joined: string } | undefined {
    const names = sortedByCodePoint(all);
    const joined = names.join("\0");
    return this.#isCleared(folder, names, joined) ? { names, joined } : undefined;
  }

  #skipInvalid({ path }: FolderPlace, names: readonly string[], skipped: SkippedPath[]): void {
    for (const name of names) {
      const child = prefixOf(path) + name;
      if (!this.#rules.excludes(child)) skipped.push({ path: child, reason: "invalid_name" });
    }
  }

  /** Those of `names` that may be recorded, entered or followed: all of them, returned as they are, in most folders. */
  #kept(
    folder: FolderPlace,
    kind: FileKind,
    names: readonly string[],
    skipped: SkippedPath[],
    joined = names.join("\0"),
  ): readonly string[] {
    if (names.length === 0) return names;
    const isCleared = this.#isCleared(folder, names, joined);
    if (isCleared && kind === "file") return names;
    const prefix = prefixOf(folder.path);
    return names.filter((name) => {
      const path = prefix + name;
      if (!isCleared && this.#rules.excludes(path)) return false;
      const reason = isCleared || isNameable(path) ? this.reasonToSkip(folder, name, kind) : "invalid_name";
      if (reason !== undefined) skipped.push({ path, reason });
      return reason === undefined;
    });
  }

  /** True when surely no rule is about any of the names, and all can be named: then they need not be asked for one by one. */
  #isCleared({ path, real }: FolderPlace, names: readonly string[], joined: string): boolean {
    const prefix = prefixOf(path);
    const roomForName = ENTRY_PATH_LENGTH_MAX - prefix.length;
    return (
      real === undefined &&
      joined.isWellFormed() &&
      (joined.length <= roomForName || names.every((name) => name.length <= roomForName)) &&
      !this.#rules.mayExcludeAny(prefix, `${joined}\0`)
    );
  }

  /** undefined for a file, a folder or a symlink that may be recorded, entered or followed. */
  reasonToSkip(folder: FolderPlace, name: string, kind: FileKind): SkipReason | undefined {
    if (folder.real !== undefined && isHardExcluded(prefixOf(folder.real.path) + name)) return "protected";
    if (kind === "other") return "not_a_file";
    return kind === "directory" && this.#isOwnFolder(folder, name) ? "protected" : undefined;
  }

  /** True for `Logs` where the file system takes it for `logs`, or does not tell. */
  #isOwnFolder(folder: FolderPlace, name: string): boolean {
    const own = ownFolderInOtherCase(prefixOf(folder.path) + name);
    if (own === undefined) return false;
    try {
      const ours = this.#tree.lstat(`${this.#root}/${own}`);
      const theirs = this.#tree.lstat(insideOf(folder.native) + name);
      return ours !== undefined && ours.inode === theirs?.inode && ours.device === theirs.device;
    } catch {
      return true;
    }
  }
}

function isNameable(path: RelativePath): boolean {
  return path.length <= ENTRY_PATH_LENGTH_MAX && path.isWellFormed();
}

/** A file system may give a name twice while the folder changes. @param sorted is returned as it is when none is */
function eachOnce(sorted: readonly string[]): readonly string[] {
  for (let k = 1; k < sorted.length; k++) if (sorted[k] === sorted[k - 1]) return [...new Set(sorted)];
  return sorted;
}
