import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  fsync,
  futimesSync,
  lstatSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { promisify } from "node:util";
import { SyncError } from "../../core/errors.ts";
import type { FileStat, NewFile, NewFileOptions, TreeFile, TreeWriter } from "../contract.ts";
import { fileStat } from "./file-stat.ts";
import { HeldFolder, inTheWay } from "./held-folder.ts";
import { nodeTree } from "./node-tree.ts";
import { readError, systemCode, writeError } from "./system-error.ts";
import { tempNameWith } from "./temp-name.ts";

const NEW_FILE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
/** How long a missing folder is believed to be missing: asking for every file below it would double a restore's calls. */
const MISSING_BELIEVED_MS = 5;
/** Folders held open at once; a tree may have more than a process may hold. */
const FOLDERS_OPEN_MAX = 128;

/** @throws SyncError `file_missing`, `file_unreadable` */
export function openNodeTreeWriter(root: string): TreeWriter {
  try {
    return new NodeTreeWriter(HeldFolder.open(realpathSync(root)));
  } catch (error) {
    throw readError(root, error);
  }
}

class NodeTreeWriter implements TreeWriter {
  readonly #root: HeldFolder;
  /** By path; the least recently used first. */
  readonly #folders = new Map<string, HeldFolder>();
  #missing = { below: "", until: 0 };

  constructor(root: HeldFolder) {
    this.#root = root;
  }

  lstat(path: string): FileStat | undefined {
    const [folderPath, name] = split(path);
    if (path.startsWith(this.#missing.below) && performance.now() < this.#missing.until) return undefined;
    const folder = this.#folder(folderPath, false);
    if (folder === undefined) return undefined;
    try {
      const stats = lstatSync(folder.at(name), { bigint: true, throwIfNoEntry: false });
      folder.check();
      return stats === undefined ? undefined : fileStat(stats);
    } catch (error) {
      throw readError(path, error);
    }
  }

  makeFolder(path: string): void {
    this.#folder(path, true);
  }

  open(path: string): TreeFile {
    const [folderPath, name] = split(path);
    const folder = this.#folder(folderPath, false);
    if (folder === undefined) throw new SyncError("file_missing", `${path} does not exist`);
    const file = nodeTree.open(folder.at(name));
    folder.check();
    return file;
  }

  create(path: string, options: NewFileOptions): NewFile {
    const [folderPath, name] = split(path);
    const folder = this.#folder(folderPath, true);
    if (folder === undefined) throw new SyncError("write_failed", `${path} cannot be written: it has no folder`);
    const temp = tempNameWith(name, createHash("sha256").update(path).digest("hex"));
    try {
      return new TempFile(path, folder, name, temp, openNew(folder.at(temp), options.mode), options.mtime);
    } catch (error) {
      throw writeError(path, error);
    }
  }

  close(): void {
    for (const folder of [...this.#folders.values(), this.#root]) folder.release();
    this.#folders.clear();
  }

  /** The folder at `path`, held open; undefined when it is missing and not to be made. */
  #folder(path: string, make: boolean): HeldFolder | undefined {
    if (path === "") return this.#root;
    const known = this.#folders.get(path);
    if (known !== undefined) {
      this.#folders.delete(path);
      this.#folders.set(path, known);
      return known;
    }
    const [parentPath, name] = split(path);
    const parent = this.#folder(parentPath, make);
    const folder = parent && this.#openIn(parent, name, path, make);
    if (folder === undefined) return undefined;
    this.#folders.set(path, folder);
    const oldest = this.#folders.entries().next().value;
    if (this.#folders.size > FOLDERS_OPEN_MAX && oldest !== undefined) {
      this.#folders.delete(oldest[0]);
      oldest[1].release();
    }
    return folder;
  }

  #openIn(parent: HeldFolder, name: string, path: string, make: boolean): HeldFolder | undefined {
    for (let attempt = 0; ; attempt++) {
      try {
        const folder = HeldFolder.open(parent.at(name));
        parent.check();
        return folder;
      } catch (error) {
        const code = systemCode(error);
        if (code === "ELOOP" || code === "ENOTDIR") throw inTheWay(path, error);
        if (code !== "ENOENT" || attempt > 0) throw writeError(path, error);
        if (!make) {
          this.#missing = { below: `${path}/`, until: performance.now() + MISSING_BELIEVED_MS };
          return undefined;
        }
      }
      this.#missing.until = 0;
      makeIn(parent, name, path);
    }
  }
}

function makeIn(parent: HeldFolder, name: string, path: string): void {
  try {
    mkdirSync(parent.at(name));
  } catch (error) {
    // Somebody else made it, or put something else there: the next look tells.
    if (systemCode(error) !== "EEXIST") throw writeError(path, error);
  }
}

function openNew(native: string, mode: number): number {
  try {
    return openSync(native, NEW_FILE_FLAGS, mode);
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
    rmSync(native, { force: true });
    return openSync(native, NEW_FILE_FLAGS, mode);
  }
}

const fsyncInPool = promisify(fsync);

class TempFile implements NewFile {
  #open = true;
  #ended = false;

  constructor(
    private readonly path: string,
    private readonly folder: HeldFolder,
    private readonly name: string,
    private readonly temp: string,
    private readonly descriptor: number,
    private readonly mtime: number,
  ) {
    folder.retain();
  }

  write(chunk: Uint8Array): void {
    try {
      let done = 0;
      while (done < chunk.byteLength) {
        const written = writeSync(this.descriptor, chunk, done, chunk.byteLength - done);
        if (written === 0) throw Object.assign(new Error("a write of zero bytes"), { code: "ENOSPC" });
        done += written;
      }
    } catch (error) {
      throw writeError(this.path, error);
    }
  }

  async flush(): Promise<void> {
    try {
      await fsyncInPool(this.descriptor);
    } catch (error) {
      throw writeError(this.path, error);
    }
  }

  commit(): void {
    try {
      // A number below zero is taken for "now" (node's own rule); as text it means what it says.
      const time = this.mtime < 0 ? String(this.mtime) : this.mtime;
      futimesSync(this.descriptor, time, time);
      this.#open = false;
      closeSync(this.descriptor);
      this.folder.check();
      renameSync(this.folder.at(this.temp), this.folder.at(this.name));
      this.folder.check();
      this.#end();
    } catch (error) {
      this.abort();
      throw writeError(this.path, error);
    }
  }

  abort(): void {
    if (this.#ended) return;
    try {
      if (this.#open) closeSync(this.descriptor);
      this.#open = false;
      rmSync(this.folder.at(this.temp), { force: true });
    } catch {
      // It stays as a hidden temp file, which no manifest records and the next restore of this path replaces.
    }
    this.#end();
  }

  #end(): void {
    this.#ended = true;
    this.folder.release();
  }
}

function split(path: string): [folder: string, name: string] {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? ["", path] : [path.slice(0, slash), path.slice(slash + 1)];
}
