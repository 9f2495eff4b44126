import {
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  type Stats,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { SyncError } from "../../core/errors.ts";
import type { FileKind, TreeFile, TreeListing, TreeReader } from "../contract.ts";
import { fileKind, fileStat } from "./file-stat.ts";
import { settledNames } from "./settled-names.ts";
import { isAbsent, readError, systemCode } from "./system-error.ts";

const REPLACEMENT = "\uFFFD";

/** The scan's synchronous view of the file system through node:fs, on Bun and Deno alike. */
export const nodeTree: TreeReader = {
  list,
  lstat: (path) => {
    try {
      const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      return stats === undefined ? undefined : fileStat(stats);
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw readError(path, error);
    }
  },
  glance: (path) => {
    try {
      // Without options, which would take longer to read than a missing file is rare.
      return lstatSync(path);
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw readError(path, error);
    }
  },
  stat: (path) => {
    try {
      const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
      return stats === undefined ? undefined : fileStat(stats);
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw readError(path, error);
    }
  },
  realPath: (path) => {
    try {
      return realpathSync(path);
    } catch (error) {
      if (isAbsent(error) || systemCode(error) === "ELOOP") return undefined;
      throw readError(path, error);
    }
  },
  open,
};

/** As a listing tells it, or a stat. */
type Entry = Dirent | (Stats & { readonly name: string });

function list(folder: string): TreeListing {
  const entries = settledNames<Entry>({
    read: () => read(folder),
    times: () => timesOf(folder),
    again: (entry) => again(folder, entry),
  });
  const listing: TreeListing = { files: [], folders: [], symlinks: [], others: [], invalid: [] };
  const suspects: Entry[] = [];
  for (const entry of entries) {
    if (entry.name.includes(REPLACEMENT)) suspects.push(entry);
    // Nearly all there is.
    else if (entry.isFile()) listing.files.push(entry.name);
    else namesOf(listing, kindOf(folder, entry)).push(entry.name);
  }
  if (suspects.length > 0) addSuspects(folder, suspects, listing);
  return listing;
}

function read(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    throw readError(folder, error);
  }
}

/** @throws SyncError `file_unreadable` when a symlink or a file has taken its place: what was read is not the folder's */
function timesOf(folder: string): Stats | undefined {
  let stats: Stats;
  try {
    stats = lstatSync(folder);
  } catch {
    return undefined;
  }
  if (!stats.isDirectory()) throw new SyncError("file_unreadable", `${folder} is no folder any more`);
  return stats;
}

function again(folder: string, entry: Entry): Entry | undefined {
  const { name } = entry;
  // Perhaps no name by which anything can be found.
  if (name.includes(REPLACEMENT)) return entry;
  try {
    return Object.assign(lstatSync(join(folder, name)), { name });
  } catch (error) {
    return isAbsent(error) ? undefined : entry;
  }
}

function namesOf(listing: TreeListing, kind: FileKind): string[] {
  if (kind === "file") return listing.files;
  if (kind === "directory") return listing.folders;
  return kind === "symlink" ? listing.symlinks : listing.others;
}

/** Lossy names may coincide with each other and with a valid one: each is given once as what it may be. */
function addSuspects(folder: string, suspects: readonly Entry[], listing: TreeListing): void {
  const { valid, lossy } = invalidNames(folder);
  const seen = new Set<string>();
  for (const entry of suspects) {
    if (seen.has(entry.name)) continue;
    seen.add(entry.name);
    if (lossy.has(entry.name)) listing.invalid.push(entry.name);
    // Neither when this reading missed it: opening it tells what it is.
    if (valid.has(entry.name) || !lossy.has(entry.name)) namesOf(listing, kindOf(folder, entry)).push(entry.name);
  }
}

/** File systems that do not tell the kind with the name (some network mounts) cost a stat. */
function kindOf(folder: string, entry: Entry): FileKind {
  const kind = fileKind(entry);
  if (kind !== "other" || entry.isFIFO() || entry.isSocket() || entry.isCharacterDevice() || entry.isBlockDevice())
    return kind;
  return nodeTree.lstat(join(folder, entry.name))?.kind ?? "other";
}

/** Which names with U+FFFD really hold that character, and which are the lossy form of bytes that are not UTF-8. */
function invalidNames(folder: string): { readonly valid: Set<string>; readonly lossy: Set<string> } {
  const valid = new Set<string>();
  const lossy = new Set<string>();
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let names: Uint8Array[];
  try {
    names = readdirSync(folder, { encoding: "buffer" });
  } catch (error) {
    throw readError(folder, error);
  }
  for (const name of names) {
    try {
      valid.add(strict.decode(name));
    } catch {
      lossy.add(new TextDecoder("utf-8", { ignoreBOM: true }).decode(name));
    }
  }
  return { valid, lossy };
}

function open(path: string, options: { readonly followSymlink?: boolean } = {}): TreeFile {
  // O_NONBLOCK: a FIFO put in the file's place would make open wait for ever.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | (options.followSymlink === true ? 0 : constants.O_NOFOLLOW);
  let descriptor: number;
  try {
    descriptor = openSync(path, flags);
  } catch (error) {
    throw readError(path, error);
  }
  return {
    stat: () => {
      try {
        return fileStat(fstatSync(descriptor, { bigint: true }));
      } catch (error) {
        throw openFileError(path, error);
      }
    },
    glance: () => {
      try {
        return fstatSync(descriptor);
      } catch (error) {
        throw openFileError(path, error);
      }
    },
    read: (into, offset) => {
      try {
        return readSync(descriptor, into, 0, into.byteLength, offset ?? null);
      } catch (error) {
        if (systemCode(error) === "EISDIR")
          throw new SyncError("file_unreadable", `${path} is a folder`, { cause: error });
        throw readError(path, error);
      }
    },
    close: () => closeSync(descriptor),
  };
}

/** A network mount forgets files that are open (ESTALE), and Deno fails at times that its dates cannot hold. */
function openFileError(path: string, error: unknown): SyncError {
  return new SyncError("file_unreadable", `${path} cannot be looked at (${systemCode(error) ?? "unknown error"})`, {
    cause: error,
  });
}
