import { compareCodePoints } from "../core/code-point.ts";
import { SyncError } from "../core/errors.ts";
import { isWithin, type RelativePath } from "../core/paths.ts";
import type { FileKind, TreeReader } from "../platform/contract.ts";
import { FolderLister, folderIn, type FolderPlace, insideOf, prefixOf, skipReasonOf } from "./folder-lister.ts";
import type { SkippedPath, SkipReason } from "./manifest.ts";
import type { Scope } from "./scope.ts";
import { SymlinkFollower } from "./symlinks.ts";
import { Turn } from "../threads/turn.ts";

export interface WalkOptions {
  readonly tree: TreeReader;
  /** Native path of the workspace. */
  readonly root: string;
  readonly scope: Scope;
  readonly followSymlinks: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface FoundFile {
  readonly path: RelativePath;
  /** No symlink itself. */
  readonly native: string;
}

/** What a path of the scan leads to. */
export type Found =
  | { readonly kind: "file"; readonly file: FoundFile }
  | { readonly kind: "folder"; readonly folder: FolderPlace };

export interface WalkResult {
  /** Every file in scope, by code point of the path. */
  readonly files: readonly FoundFile[];
  readonly skipped: readonly SkippedPath[];
  /** Include paths at which nothing was found. */
  readonly missingIncludes: readonly RelativePath[];
}

/**
 * Finds the files of a scope without opening any. Excluded folders are not entered; symlinks are skipped or, when
 * they are followed, resolved by symlinks.ts. Iterative: a tree may be deeper than the call stack.
 * @throws SyncError `root_missing` when the root is not a readable folder, `aborted`
 */
export async function walkTree(options: WalkOptions): Promise<WalkResult> {
  const turn = new Turn(options.signal);
  const walk = new TreeWalk(options);
  const files: FoundFile[] = [];
  const pending = walk.start().toSorted(lastFirst);
  for (let found = pending.pop(); found !== undefined; found = pending.pop()) {
    if (found.kind === "file") files.push(found.file);
    else for (const child of childrenOf(walk, found.folder).toSorted(lastFirst)) pending.push(child);
    if (turn.due()) await turn.pause();
  }
  return { files, skipped: walk.skipped, missingIncludes: walk.missingIncludes };
}

function childrenOf(walk: TreeWalk, folder: FolderPlace): Found[] {
  const listing = walk.lister.list(folder);
  if (typeof listing === "string") {
    walk.unlisted(folder, listing);
    return [];
  }
  for (const skipped of listing.skipped) walk.skipped.push(skipped);
  const children: Found[] = listing.folders.map((name) => ({ kind: "folder", folder: folderIn(folder, name) }));
  const [prefix, inside] = [prefixOf(folder.path), insideOf(folder.native)];
  for (const name of listing.files)
    children.push({ kind: "file", file: { path: prefix + name, native: inside + name } });
  for (const name of listing.links) {
    const target = walk.follow(folder, name);
    if (target !== undefined) children.push(target);
  }
  return children;
}

/** Reverse order of the files below: a folder sorts as if its name ended in `/`, so that `a-b` comes before `a/b`. */
function lastFirst(a: Found, b: Found): number {
  return compareCodePoints(sortKey(b), sortKey(a));
}

function sortKey(found: Found): string {
  return found.kind === "file" ? found.file.path : prefixOf(found.folder.path);
}

/** What a walk knows besides the folders that it lists: where it starts, and where symlinks lead. */
export class TreeWalk {
  readonly skipped: SkippedPath[] = [];
  readonly missingIncludes: RelativePath[] = [];
  readonly lister: FolderLister;
  /** Native real path of the workspace. */
  readonly root: string;
  readonly #options: Pick<WalkOptions, "tree" | "scope" | "followSymlinks">;
  readonly #links: SymlinkFollower;

  /** @throws SyncError `root_missing` */
  constructor(options: Pick<WalkOptions, "tree" | "root" | "scope" | "followSymlinks">) {
    this.#options = options;
    this.root = realRoot(options.tree, options.root);
    this.lister = new FolderLister(options.tree, { exclude: options.scope.exclude, root: this.root });
    this.#links = new SymlinkFollower(options.tree, this.root);
  }

  /** What the include paths lead to. */
  start(): Found[] {
    const { include, includeInside } = this.#options.scope;
    const found = include.map((path) => this.#find(path)).filter((one) => one !== undefined);
    this.missingIncludes.push(...includeInside.filter((path) => this.#isGone(path)));
    return found;
  }

  /** What the symlink `name` in `folder` leads to; undefined, and skipped, when it is not followed. */
  follow(folder: FolderPlace, name: string): Found | undefined {
    const path = prefixOf(folder.path) + name;
    if (!this.#options.followSymlinks) return this.#skip(path, "symlink");
    try {
      const holder = folder.real ?? { path: folder.path, linksIn: [] };
      const target = this.#links.follow(insideOf(folder.native) + name, holder);
      if (typeof target === "string") return this.#skip(path, target);
      const { native, place } = target;
      if (target.kind === "file") return { kind: "file", file: { path, native } };
      return { kind: "folder", folder: { path, native, real: place } };
    } catch (error) {
      return this.#skip(path, skipReasonOf(error));
    }
  }

  /** Notes that a folder cannot be listed. @throws SyncError `root_missing` when it is the root */
  unlisted(folder: FolderPlace, reason: SkipReason): void {
    if (folder.path === "") throw rootMissing("cannot be read");
    this.#skip(folder.path, reason);
  }

  /** Each folder on the way is looked at: one of them may be a symlink, or excluded. */
  #find(include: RelativePath): Found | undefined {
    let found: Found = { kind: "folder", folder: { path: "", native: this.root, real: undefined } };
    if (include === "") return found;
    for (const name of include.split("/")) {
      const next: Found | "missing" | undefined = found.kind === "folder" ? this.#child(found.folder, name) : "missing";
      if (next === "missing") this.missingIncludes.push(include);
      if (next === "missing" || next === undefined) return undefined;
      found = next;
    }
    return found;
  }

  /** Nothing is at an include path that another one holds, which says so itself where it is gone too. */
  #isGone(path: RelativePath): boolean {
    if (!this.#options.scope.holds(path) || this.missingIncludes.some((gone) => isWithin(path, gone))) return false;
    try {
      return this.#options.tree.lstat(insideOf(this.root) + path) === undefined;
    } catch {
      return false; // There, and unreadable: the scan says so.
    }
  }

  /** undefined when it is excluded, or skipped. */
  #child(folder: FolderPlace, name: string): Found | "missing" | undefined {
    const path = prefixOf(folder.path) + name;
    if (this.lister.excludesHere(path)) return undefined;
    let kind: FileKind | undefined;
    try {
      kind = this.#options.tree.lstat(insideOf(folder.native) + name)?.kind;
    } catch (error) {
      return this.#skip(path, skipReasonOf(error));
    }
    if (kind === undefined) return "missing";
    const reason = this.lister.reasonToSkip(folder, name, kind);
    if (reason !== undefined) return this.#skip(path, reason);
    if (kind === "symlink") return this.follow(folder, name);
    if (kind === "file") return { kind, file: { path, native: insideOf(folder.native) + name } };
    return { kind: "folder", folder: folderIn(folder, name) };
  }

  #skip(path: RelativePath, reason: SkipReason): undefined {
    this.skipped.push({ path, reason });
  }
}

function realRoot(tree: TreeReader, root: string): string {
  let kind: FileKind | undefined;
  let real: string | undefined;
  try {
    kind = tree.stat(root)?.kind;
    real = tree.realPath(root);
  } catch (error) {
    throw rootMissing("cannot be read", error);
  }
  if (kind === undefined || real === undefined) throw rootMissing("does not exist");
  if (kind !== "directory") throw rootMissing("is not a folder");
  return real;
}

function rootMissing(fault: string, cause?: unknown): SyncError {
  return new SyncError("root_missing", `the workspace folder ${fault}; check --root or COMFYVN_ROOT`, { cause });
}
