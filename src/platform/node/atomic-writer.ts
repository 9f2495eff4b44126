import { constants } from "node:fs";
import { type FileHandle, open, rename, rm, utimes } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { AtomicWriter, WriteOptions } from "../contract.ts";
import { makeFolders } from "./make-folder.ts";
import { writeError } from "./system-error.ts";
import { tempNameWith } from "./temp-name.ts";

const DEFAULT_MODE = 0o644;

/**
 * A new file that takes its name only when it is whole and on the disk. Own code rather than a library: none of the
 * well-kept ones fsyncs the folder, and without that a rename may be lost with the power.
 */
export async function createAtomicWriter(path: string, options: WriteOptions = {}): Promise<AtomicWriter> {
  const folder = dirname(path);
  const temp = join(folder, tempNameWith(basename(path), crypto.randomUUID().replaceAll("-", "")));
  try {
    await makeFolders(folder);
    const handle = await open(
      temp,
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
      0o600,
    );
    return new TempFileWriter(path, temp, handle, options);
  } catch (error) {
    throw writeError(path, error);
  }
}

class TempFileWriter implements AtomicWriter {
  #open = true;
  #length = 0;

  constructor(
    private readonly path: string,
    private readonly temp: string,
    private readonly handle: FileHandle,
    private readonly options: WriteOptions,
  ) {}

  async write(chunk: Uint8Array): Promise<void> {
    await this.writeAt(this.#length, chunk);
    this.#length += chunk.byteLength;
  }

  async writeAt(offset: number, bytes: Uint8Array): Promise<void> {
    try {
      await writeFully(this.handle, bytes, offset);
    } catch (error) {
      throw writeError(this.path, error);
    }
  }

  async truncate(length: number): Promise<void> {
    try {
      await this.handle.truncate(length);
    } catch (error) {
      throw writeError(this.path, error);
    }
    this.#length = length;
  }

  async commit(): Promise<void> {
    try {
      await this.#setMode();
      await this.handle.sync();
      this.#open = false;
      await this.handle.close();
      if (this.options.mtimeNs !== undefined) {
        const seconds = Number(this.options.mtimeNs) / 1e9;
        await utimes(this.temp, seconds, seconds);
      }
      await rename(this.temp, this.path);
      await syncFolder(dirname(this.path));
    } catch (error) {
      await this.abort();
      throw writeError(this.path, error);
    }
  }

  /** A mode that was asked for is a promise; the default one may fail where the mount decides modes (vfat, some NAS). */
  async #setMode(): Promise<void> {
    try {
      await this.handle.chmod(this.options.mode ?? DEFAULT_MODE);
    } catch (error) {
      if (this.options.mode !== undefined) throw error;
    }
  }

  async abort(): Promise<void> {
    if (this.#open) {
      this.#open = false;
      await this.handle.close().catch(() => undefined);
    }
    await rm(this.temp, { force: true }).catch(() => undefined);
  }
}

/**
 * All of `chunk`, at `offset` or where the last write ended: a write may be short without an error (a full disk, a
 * signal).
 */
async function writeFully(handle: FileHandle, chunk: Uint8Array, offset?: number): Promise<void> {
  let done = 0;
  while (done < chunk.byteLength) {
    const position = offset === undefined ? null : offset + done;
    const { bytesWritten } = await handle.write(chunk, done, chunk.byteLength - done, position);
    if (bytesWritten === 0) throw Object.assign(new Error("a write of zero bytes"), { code: "ENOSPC" });
    done += bytesWritten;
  }
}

/** Puts a rename on the disk. Windows cannot open folders and orders renames itself. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
