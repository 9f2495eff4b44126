import { compareCodePoints } from "../core/code-point.ts";
import { SyncError } from "../core/errors.ts";
import type { RelativePath } from "../core/paths.ts";
import type { FileKind, TreeEntry, TreeReader } from "../platform/contract.ts";
import { ENTRY_PATH_LENGTH_MAX } from "./entry-path.ts";
import type { FileToHash } from "./file-hasher.ts";
import { skipReasonOf } from "./folder-hasher.ts";
import { isHardExcluded, ownFolderInOtherCase } from "./hard-exclusion.ts";
import type { SkippedPath, SkipReason } from "./manifest.ts";
import type { Scope } from "./scope.ts";
import { type RealPlace, SymlinkFollower } from "./symlinks.ts";
import { Turn } from "./turn.ts";

export interface WalkOptions {
  readonly tree: TreeReader;
  /** Native path of the workspace. */
  readonly root: string;
  readonly scope: Scope;
  readonly followSymlinks: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Told now and then how many files were found so far. */
  readonly onFound?: (files: number) => void;
}

export interface WalkResult {
  /** Every file in scope, by code point of the path. */
  readonly files: readonly FileToHash[];
  readonly skipped: readonly SkippedPath[];
  /** Include paths at which nothing was found. */
  readonly missingIncludes: readonly RelativePath[];
}

class Place implements FileToHash {
  constructor(
    readonly path: RelativePath,
    readonly folder: string,
    readonly isFolder: boolean,
    /** Set for what was reached through a symlink; all else is where its path says. */
    readonly real: RealPlace | undefined,
    /** Its name where its path tells another. */
    private readonly ownName?: string,
  ) {}

  /** @param native path of the file or folder */
  static at(path: RelativePath, native: string, isFolder: boolean, real: RealPlace | undefined): Place {
    const cut = native.lastIndexOf("/") + 1;
    return new Place(path, native.slice(0, cut), isFolder, real, native.slice(cut));
  }

  /** Cut off when asked for: a million names need not stay beside their paths. */
  get name(): string {
    return this.ownName ?? this.path.slice(this.path.lastIndexOf("/") + 1);
  }

  get native(): string {
    return this.folder + this.name;
  }

  /** What the native paths of everything in a folder begin with. */
  get inside(): string {
    const { native } = this;
    return native.endsWith("/") ? native : `${native}/`;
  }
}

/**
 * Finds the files of a scope without opening any. Excluded folders are not entered; symlinks are skipped or, when
 * they are followed, resolved by symlinks.ts. Iterative: a tree may be deeper than the call stack.
 * @throws SyncError `root_missing` when the root is not a readable folder, `aborted`
 */
export async function walkTree(options: WalkOptions): Promise<WalkResult> {
  const turn = new Turn(options.signal);
  const walk = new Walk(options);
  const files: FileToHash[] = [];
  const pending = walk.start();
  for (let place = pending.pop(); place !== undefined; place = pending.pop()) {
    if (place.isFolder) {
      for (const child of walk.enter(place)) pending.push(child);
    } else {
      files.push(place);
    }
    if (turn.due()) {
      options.onFound?.(files.length);
      await turn.pause();
    }
  }
  return { files, skipped: walk.skipped, missingIncludes: walk.missingIncludes };
}

class Walk {
  readonly skipped: SkippedPath[] = [];
  readonly missingIncludes: RelativePath[] = [];
  readonly #options: WalkOptions;
  readonly #tree: TreeReader;
  /** Native real path of the workspace. */
  readonly #root: string;
  readonly #links: SymlinkFollower;

  constructor(options: WalkOptions) {
    this.#options = options;
    this.#tree = options.tree;
    this.#root = realRoot(options.tree, options.root);
    this.#links = new SymlinkFollower(options.tree, this.#root);
  }

  /** The places that the include paths name, last first. */
  start(): Place[] {
    const places: Place[] = [];
    for (const include of this.#options.scope.include) {
      const place = this.#find(include);
      if (place !== undefined) places.push(place);
    }
    return places.toSorted(lastFirst);
  }

  /** The children of a folder, last first. Nothing when it cannot be listed. */
  enter(folder: Place): Place[] {
    let entries: TreeEntry[];
    try {
      entries = this.#tree.list(folder.native);
    } catch (error) {
      const reason = skipReasonOf(error);
      if (folder.path === "") throw rootMissing("cannot be read", error);
      this.#skip(folder.path, reason);
      return [];
    }
    const places: Place[] = [];
    const inside = folder.inside;
    for (const { name, kind, validName } of entries) {
      const path = folder.path === "" ? name : `${folder.path}/${name}`;
      if (this.#options.scope.excludesHere(path)) continue;
      if (!validName || path.length > ENTRY_PATH_LENGTH_MAX || !name.isWellFormed()) {
        this.#skip(path, "invalid_name");
        continue;
      }
      const place = this.#place(path, name, kind, folder, inside);
      if (place !== undefined) places.push(place);
    }
    return places.toSorted(lastFirst);
  }

  /** The place of an include path, each folder on the way looked at: one of them may be a symlink, or excluded. */
  #find(include: RelativePath): Place | undefined {
    let place = Place.at("", this.#root, true, undefined);
    if (include === "") return place;
    for (const name of include.split("/")) {
      const path = place.path === "" ? name : `${place.path}/${name}`;
      if (this.#options.scope.excludesHere(path)) return undefined;
      const inside = place.inside;
      const kind = place.isFolder ? this.#kindOf(path, inside + name) : undefined;
      if (kind === "unknown") return undefined;
      if (kind === undefined) {
        this.missingIncludes.push(include);
        return undefined;
      }
      const next = this.#place(path, name, kind, place, inside);
      if (next === undefined) return undefined;
      place = next;
    }
    return place;
  }

  /** undefined when nothing is there; "unknown", and skipped, when the file system does not tell. */
  #kindOf(path: RelativePath, native: string): FileKind | "unknown" | undefined {
    try {
      return this.#tree.lstat(native)?.kind;
    } catch (error) {
      this.#skip(path, skipReasonOf(error));
      return "unknown";
    }
  }

  /** @param inside native path of `folder` with its last separator, made once for all that is in it */
  #place(path: RelativePath, name: string, kind: FileKind, folder: Place, inside: string): Place | undefined {
    const real = folder.real && { ...folder.real, path: realChild(folder.real, name) };
    if (real !== undefined && isHardExcluded(real.path)) return this.#skip(path, "protected");
    switch (kind) {
      case "file":
        return new Place(path, inside, false, real);
      case "directory":
        if (this.#isOwnFolder(path, inside + name)) return this.#skip(path, "protected");
        return new Place(path, inside, true, real);
      case "symlink":
        return this.#options.followSymlinks ? this.#follow(path, inside + name, folder) : this.#skip(path, "symlink");
      case "other":
        return this.#skip(path, "not_a_file");
      default:
        return kind satisfies never;
    }
  }

  #follow(path: RelativePath, native: string, folder: Place): Place | undefined {
    try {
      const target = this.#links.follow(native, folder.real ?? { path: folder.path, linksIn: [] });
      if (typeof target === "string") return this.#skip(path, target);
      return Place.at(path, target.native, target.kind === "directory", target.place);
    } catch (error) {
      return this.#skip(path, skipReasonOf(error));
    }
  }

  /** True for `Logs` where the file system takes it for `logs`, or does not tell. */
  #isOwnFolder(path: RelativePath, native: string): boolean {
    const own = ownFolderInOtherCase(path);
    if (own === undefined) return false;
    try {
      const ours = this.#tree.lstat(`${this.#root}/${own}`);
      const theirs = this.#tree.lstat(native);
      return ours !== undefined && ours.inode === theirs?.inode && ours.device === theirs.device;
    } catch {
      return true;
    }
  }

  #skip(path: RelativePath, reason: SkipReason): undefined {
    this.skipped.push({ path, reason });
  }
}

function realChild(place: RealPlace, name: string): RelativePath {
  return place.path === "" ? name : `${place.path}/${name}`;
}

/** Reverse order of the files below: a folder sorts as if its name ended in `/`, so that `a-b` comes before `a/b`. */
function lastFirst(a: Place, b: Place): number {
  return compareCodePoints(b.isFolder ? `${b.path}/` : b.path, a.isFolder ? `${a.path}/` : a.path);
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
