import { hash } from "node:crypto";
import { lstatSync, mkdirSync, realpathSync } from "node:fs";
import { SyncError } from "../../core/errors.ts";
import type { FileStat, NewFile, NewFileOptions, TreeFile, TreeWriter } from "../contract.ts";
import { fileStat } from "./file-stat.ts";
import { HeldFolder, inTheWay } from "./held-folder.ts";
import { type LinkOpenFile, namedFile, type OpenFile, unnamedFile } from "./new-file.ts";
import { nodeTree } from "./node-tree.ts";
import { readError, systemCode, writeError } from "./system-error.ts";
import { tempNameWith } from "./temp-name.ts";

/** How long a missing folder is believed to be missing: asking for every file below it would double a restore's calls. */
const MISSING_BELIEVED_MS = 5;
/** Folders held open at once; a tree may have more than a process may hold. */
const FOLDERS_OPEN_MAX = 128;
const MODE_DEFAULT = 0o644;

/**
 * @param link where the runtime has it: new files have no name until they are whole
 * @throws SyncError `file_missing`, `file_unreadable`
 */
export function openNodeTreeWriter(root: string, link: LinkOpenFile | undefined): TreeWriter {
  try {
    return new NodeTreeWriter(HeldFolder.open(realpathSync(root)), link);
  } catch (error) {
    throw readError(root, error);
  }
}

class NodeTreeWriter implements TreeWriter {
  readonly #root: HeldFolder;
  /** By path; the least recently used first. */
  readonly #folders = new Map<string, HeldFolder>();
  #missing = { below: "", until: 0 };
  /** Undefined as soon as the file system is known to have no files without a name. */
  #link: LinkOpenFile | undefined;
  /** Modes from which the process's umask takes something, as the first file of each has shown. */
  readonly #masked = new Map<number, boolean>();

  constructor(root: HeldFolder, link: LinkOpenFile | undefined) {
    this.#root = root;
    this.#link = link;
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
    const tempName = () => tempNameWith(name, hash("sha256", path));
    const place = { path, folder, name, tempName, mtime: options.mtime };
    const mode = options.mode ?? MODE_DEFAULT;
    try {
      const unnamed = this.#link && unnamedFile(place, mode, this.#link);
      if (unnamed === undefined) this.#link = undefined;
      const file = unnamed ?? namedFile(place, mode);
      if (options.mode !== undefined) this.#giveMode(file, options.mode);
      return file;
    } catch (error) {
      throw writeError(path, error);
    }
  }

  #giveMode(file: OpenFile, mode: number): void {
    let masked = this.#masked.get(mode);
    if (masked === undefined) {
      masked = file.mode !== mode;
      this.#masked.set(mode, masked);
    }
    if (masked) file.setMode(mode);
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

function split(path: string): [folder: string, name: string] {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? ["", path] : [path.slice(0, slash), path.slice(slash + 1)];
}
