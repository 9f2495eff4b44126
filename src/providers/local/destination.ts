import { SyncError } from "../../core/errors.ts";
import type { Files, FileStat } from "../../platform/contract.ts";
import { OWN_FOLDER } from "./local-keys.ts";
import { removeHollow } from "./hollow-folder.ts";
import { atDestination } from "./local-error.ts";
import { foldsNames, spelledOtherwise, spellingOf } from "./spelling.ts";

export interface FoundFile {
  readonly path: string;
  readonly stat: FileStat;
}

/**
 * A destination's folder and the ways into it. Below its root no symlink is followed, and a path is used only when
 * its folders are really where it says.
 */
export class Destination {
  #folds: boolean | undefined;

  private constructor(
    readonly files: Files,
    /** Every symlink followed. */
    readonly root: string,
    private readonly rootStat: FileStat,
  ) {}

  /**
   * @throws `provider_config` for a path that is not absolute or no folder; `provider_container_missing` when nothing
   * is there: it is never made, because a mount that is not there would look like an empty destination
   */
  static async open(files: Files, path: string): Promise<Destination> {
    if (path.includes("\0") || files.resolve(path) !== withoutEnd(files.join(path))) {
      throw new SyncError("provider_config", "the setting path of the local destination must be an absolute path");
    }
    const root = await atDestination(() => files.realPath(path));
    const stat = root === undefined ? undefined : await atDestination(() => files.stat(root));
    if (root === undefined || stat === undefined) {
      throw new SyncError(
        "provider_container_missing",
        `the destination folder ${path} does not exist; mount the disk or create the folder`,
      );
    }
    if (stat.kind !== "directory") throw new SyncError("provider_config", `the destination ${path} is not a folder`);
    return new Destination(files, root, stat);
  }

  /**
   * @throws `provider_container_missing` when another folder is there than at the opening: a disk was unmounted or
   * mounted
   */
  async checkRoot(): Promise<void> {
    const now = await atDestination(() => this.files.stat(this.root));
    if (now !== undefined && now.device === this.rootStat.device && now.inode === this.rootStat.inode) return;
    throw new SyncError(
      "provider_container_missing",
      `the destination folder ${this.root} is not the one it was when the run began; ` +
        "was the disk unmounted? Mount it and run again",
    );
  }

  /** The native path of `key`. */
  pathOf(key: string): string {
    return this.files.join(this.root, ...key.split("/"));
  }

  own(...names: readonly string[]): string {
    return this.files.join(this.root, OWN_FOLDER, ...names);
  }

  /** Whether different keys may name one file here; see spelling.ts. */
  async folds(): Promise<boolean> {
    this.#folds ??= await foldsNames(this);
    return this.#folds ?? false;
  }

  /** The file at `key`, reached through real folders only and spelled like it; undefined when there is none. */
  async find(key: string): Promise<FoundFile | undefined> {
    const path = this.pathOf(key);
    if ((await this.folds()) && (await spellingOf(this, key)) !== "exact") return undefined;
    return await atDestination(async () => {
      const parent = this.files.dirname(path);
      if (parent !== this.root && (await this.files.realPath(parent)) !== parent) return undefined;
      const stat = await this.files.lstat(path);
      return stat?.kind === "file" ? { path, stat } : undefined;
    });
  }

  /**
   * Takes a folder away that stands at `key` and holds no object.
   * @throws `key_collision` when something else than real folders lies on the way to `key`, or no file at it, or one of
   * another key
   */
  async checkWay(key: string): Promise<void> {
    const path = this.pathOf(key);
    if ((await this.folds()) && (await spellingOf(this, key)) === "other") throw spelledOtherwise();
    const there = await atDestination(() => this.files.lstat(path));
    if (there !== undefined && there.kind !== "file" && there.kind !== "directory") throw inTheWay();
    let folder = this.files.dirname(path);
    while (folder !== this.root && !(await this.isRealFolder(folder))) folder = this.files.dirname(folder);
    // Only now is it known that no link leads to it.
    if (there?.kind === "directory" && !(await atDestination(() => removeHollow(this.files, path))))
      throw new SyncError(
        "key_collision",
        "the destination has a folder where this file would be; another file's path begins with this one's",
      );
  }

  /**
   * Removes the folders of `key` that are empty, up to the root. One that somebody fills meanwhile, or that cannot be
   * removed, stays: it holds no object, so that is no failure.
   */
  async removeEmptied(key: string): Promise<void> {
    let folder = this.files.dirname(this.pathOf(key));
    while (folder !== this.root && (await this.files.removeEmptyFolder(folder).catch(() => false))) {
      folder = this.files.dirname(folder);
    }
  }

  /** False when nothing is there. @throws `key_collision` for anything but a folder reached through no symlink */
  private async isRealFolder(path: string): Promise<boolean> {
    return await atDestination(async () => {
      const stat = await this.files.lstat(path);
      if (stat === undefined) return false;
      if (stat.kind !== "directory") throw inTheWay();
      const real = await this.files.realPath(path);
      if (real !== undefined && real !== path) throw inTheWay();
      // A delete may have taken the emptied folder away in between.
      return real !== undefined;
    });
  }
}

function inTheWay(): SyncError {
  return new SyncError(
    "key_collision",
    "the destination has a file or a link where a folder of this path would be; remove or rename it there",
  );
}

/** Without a separator at its end, as `resolve` gives paths; a root stays. */
function withoutEnd(path: string): string {
  return path.length > 1 && !/^[A-Za-z]:[\\/]$/.test(path) ? path.replace(/[\\/]$/, "") : path;
}
