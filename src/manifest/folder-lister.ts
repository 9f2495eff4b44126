import { SyncError } from "../core/errors.ts";
import type { RelativePath } from "../core/paths.ts";
import type { FileKind, TreeEntry, TreeReader } from "../platform/contract.ts";
import { ENTRY_PATH_LENGTH_MAX } from "./entry-path.ts";
import { isHardExcluded, ownFolderInOtherCase } from "./hard-exclusion.ts";
import type { PathRule } from "./inherited.ts";
import type { SkippedPath, SkipReason } from "./manifest.ts";
import { compileExcludesHere } from "./scope.ts";
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

/** The children of a folder that are in scope, by name, in no order. */
export interface FolderListing {
  readonly files: string[];
  readonly folders: string[];
  readonly links: string[];
  readonly skipped: SkippedPath[];
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
  /** True when a rule names the path itself; folders above it have been asked before. */
  readonly excludesHere: PathRule;
  readonly #tree: TreeReader;
  readonly #root: string;

  constructor(tree: TreeReader, rules: ListRules) {
    this.excludesHere = compileExcludesHere(rules.exclude);
    this.#tree = tree;
    this.#root = rules.root;
  }

  /** The children of a folder, or why it cannot be listed. */
  list(folder: FolderPlace): FolderListing | SkipReason {
    let entries: TreeEntry[];
    try {
      entries = this.#tree.list(folder.native);
    } catch (error) {
      return skipReasonOf(error);
    }
    const listing: FolderListing = { files: [], folders: [], links: [], skipped: [] };
    const prefix = prefixOf(folder.path);
    for (const { name, kind, validName } of entries) {
      const path = prefix + name;
      if (this.excludesHere(path)) continue;
      if (!validName || path.length > ENTRY_PATH_LENGTH_MAX || !name.isWellFormed()) {
        listing.skipped.push({ path, reason: "invalid_name" });
        continue;
      }
      const reason = this.reasonToSkip(folder, name, kind);
      if (reason !== undefined) listing.skipped.push({ path, reason });
      else if (kind === "file") listing.files.push(name);
      else if (kind === "directory") listing.folders.push(name);
      else listing.links.push(name);
    }
    return listing;
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
