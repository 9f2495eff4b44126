import {
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fstatSync,
  fsync,
  fsyncSync,
  futimesSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { promisify } from "node:util";
import type { NewFile } from "../contract.ts";
import type { HeldFolder } from "./held-folder.ts";
import { systemCode, writeError } from "./system-error.ts";

const NAMED_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
/** Linux: O_TMPFILE, which node:fs has no name for. What does not know it sees a folder opened for writing, an error. */
const UNNAMED_FLAGS = constants.O_WRONLY | constants.O_DIRECTORY | 0o20000000;

/**
 * Gives an open file that has no name one in a folder that is open as well, and takes it from nobody. False when that
 * did not come about, for whatever reason.
 */
export type LinkOpenFile = (file: number, folder: number, name: string) => boolean;

export interface NewFilePlace {
  /** For messages. */
  readonly path: string;
  /** Retained by the file until its end. */
  readonly folder: HeldFolder;
  readonly name: string;
  /** In the same folder. What is there is left over from a process that is no more. */
  readonly tempName: () => string;
  /** Seconds since the epoch. */
  readonly mtime: number;
}

/** A file that has no name yet, so a process that is killed leaves nothing behind; undefined where there are none. */
export function unnamedFile(place: NewFilePlace, mode: number, link: LinkOpenFile): OpenFile | undefined {
  const folder = place.folder.descriptor;
  if (folder === undefined) return undefined;
  try {
    return new UnnamedFile(place, openSync(place.folder.at("."), UNNAMED_FLAGS, mode), folder, link);
  } catch {
    return undefined;
  }
}

/** A file with a temp name. Throws the system's error. */
export function namedFile(place: NewFilePlace, mode: number): OpenFile {
  const temp = place.tempName();
  return new NamedFile(place, openNew(place.folder.at(temp), mode), temp);
}

const fsyncInPool = promisify(fsync);

export abstract class OpenFile implements NewFile {
  #open = true;
  #ended = false;
  /** What is to be removed when the file is not to be. */
  protected temp: string | undefined;

  constructor(
    protected readonly place: NewFilePlace,
    protected readonly descriptor: number,
  ) {
    place.folder.retain();
  }

  protected abstract takeName(): void;

  /** Permission bits. */
  get mode(): number {
    return fstatSync(this.descriptor).mode & 0o777;
  }

  /** Sets them, where the mount does not decide (vfat, some NAS). */
  setMode(mode: number): void {
    setMode(this.descriptor, mode);
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
      throw writeError(this.place.path, error);
    }
  }

  async flush(): Promise<void> {
    try {
      await fsyncInPool(this.descriptor);
    } catch (error) {
      throw writeError(this.place.path, error);
    }
  }

  commit(): void {
    const { path, mtime } = this.place;
    try {
      setTime(this.descriptor, mtime);
      this.takeName();
      this.temp = undefined;
      this.#end();
    } catch (error) {
      this.abort();
      throw writeError(path, error);
    }
  }

  abort(): void {
    if (this.#ended) return;
    try {
      if (this.temp !== undefined) rmSync(this.place.folder.at(this.temp), { force: true });
    } catch {
      // It stays as a hidden temp file, which no manifest records and the next restore of this path replaces.
    }
    this.#end();
  }

  /** Some file systems tell of a full disk only now. */
  protected close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.descriptor);
  }

  /** The temp file takes the name, in place of what had it. */
  protected rename(temp: string): void {
    const { folder, name } = this.place;
    folder.check();
    renameSync(folder.at(temp), folder.at(name));
    folder.check();
  }

  #end(): void {
    this.#ended = true;
    try {
      this.close();
    } catch {
      // Of a file that is not to be.
    }
    this.place.folder.release();
  }
}

class NamedFile extends OpenFile {
  constructor(
    place: NewFilePlace,
    descriptor: number,
    private readonly ownTemp: string,
  ) {
    super(place, descriptor);
    this.temp = ownTemp;
  }

  protected override takeName(): void {
    this.close();
    this.rename(this.ownTemp);
  }
}

class UnnamedFile extends OpenFile {
  constructor(
    place: NewFilePlace,
    descriptor: number,
    private readonly folderDescriptor: number,
    private readonly link: LinkOpenFile,
  ) {
    super(place, descriptor);
  }

  protected override takeName(): void {
    const { folder, name } = this.place;
    if (this.link(this.descriptor, this.folderDescriptor, name)) return this.close();
    // Something has the name, as a rule: a link never takes it away, a rename does.
    const temp = this.place.tempName();
    rmSync(folder.at(temp), { force: true });
    this.temp = temp;
    if (!this.link(this.descriptor, this.folderDescriptor, temp)) this.#copyTo(folder.at(temp));
    this.close();
    this.rename(temp);
  }

  /** Where links are refused as such; for any other reason this fails with the system's own words. */
  #copyTo(temp: string): void {
    copyFileSync(`/proc/self/fd/${this.descriptor}`, temp, constants.COPYFILE_EXCL);
    const copy = openSync(temp, constants.O_WRONLY | constants.O_NOFOLLOW);
    try {
      setMode(copy, this.mode);
      setTime(copy, this.place.mtime);
      fsyncSync(copy);
    } finally {
      closeSync(copy);
    }
  }
}

function setMode(descriptor: number, mode: number): void {
  try {
    fchmodSync(descriptor, mode);
  } catch {
    // The content is what matters.
  }
}

/** @param mtime seconds since the epoch */
function setTime(descriptor: number, mtime: number): void {
  // A number below zero is taken for "now" (node's own rule); as text it means what it says.
  const time = mtime < 0 ? String(mtime) : mtime;
  futimesSync(descriptor, time, time);
}

function openNew(native: string, mode: number): number {
  try {
    return openSync(native, NAMED_FLAGS, mode);
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
    rmSync(native, { force: true });
    return openSync(native, NAMED_FLAGS, mode);
  }
}
