import { closeSync, constants, fstatSync, lstatSync, openSync } from "node:fs";
import process from "node:process";
import { SyncError } from "../../core/errors.ts";

const FOLDER_FLAGS = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

interface Identity {
  readonly dev: bigint;
  readonly ino: bigint;
}

/**
 * A folder that is held open: what is reached through `at` is in this very folder, wherever its path leads by now.
 * Counted, because a descriptor's number is given to something else once it is closed: whoever keeps a path of `at`
 * retains the folder until it is done.
 */
export class HeldFolder {
  #users = 1;

  private constructor(
    private readonly native: string,
    private readonly identity: Identity,
    /** undefined where folders cannot be opened (Windows). */
    private readonly opened: number | undefined,
    /** Begins the path of everything in it; undefined where names must be looked up by path. */
    private readonly held: string | undefined,
  ) {}

  /** @param native a path whose last segment is not followed when it is a symlink. Throws the system's error. */
  static open(native: string): HeldFolder {
    if (process.platform === "win32") {
      const stats = lstatSync(native, { bigint: true });
      if (!stats.isDirectory()) throw Object.assign(new Error("not a folder"), { code: "ENOTDIR" });
      return new HeldFolder(native, stats, undefined, undefined);
    }
    const descriptor = openSync(native, FOLDER_FLAGS);
    try {
      const identity = fstatSync(descriptor, { bigint: true });
      const held = `/proc/self/fd/${descriptor}/`;
      return new HeldFolder(native, identity, descriptor, leadsTo(`${held}.`, identity) ? held : undefined);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  /** Open, wherever `at` leads to the very folder; good until the folder is released. */
  get descriptor(): number | undefined {
    return this.held === undefined ? undefined : this.opened;
  }

  /** Native path of a name in it; good until the folder is released. */
  at(name: string): string {
    return this.held === undefined ? `${this.native}/${name}` : this.held + name;
  }

  /** Where `at` is only a path: @throws SyncError `restore_conflict` when the path leads elsewhere by now */
  check(): void {
    if (this.held === undefined && !isFolder(this.native, this.identity)) throw inTheWay(this.native, undefined);
  }

  retain(): void {
    this.#users++;
  }

  release(): void {
    this.#users--;
    if (this.#users === 0 && this.opened !== undefined) closeSync(this.opened);
  }
}

function isFolder(path: string, { dev, ino }: Identity): boolean {
  const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stats?.isDirectory() === true && stats.dev === dev && stats.ino === ino;
}

/**
 * False for a runtime that numbers its descriptors by itself, one that refuses paths below /proc (Deno without
 * --allow-all), and a system that has none.
 */
function leadsTo(path: string, identity: Identity): boolean {
  try {
    return isFolder(path, identity);
  } catch {
    return false;
  }
}

export function inTheWay(path: string, cause: unknown): SyncError {
  return new SyncError(
    "restore_conflict",
    `${path} is a symlink or not a folder; files are written only into real folders of the workspace`,
    { cause },
  );
}
