import { constants } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm, utimes } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { AtomicWriter, WriteOptions } from "../contract.ts";
import { writeError } from "./system-error.ts";

const DEFAULT_MODE = 0o644;
const NAME_KEPT_MAX = 100;

/**
 * A new file that takes its name only when it is whole and on the disk. Own code rather than a library: none of the
 * well-kept ones fsyncs the folder, and without that a rename may be lost with the power.
 */
export async function createAtomicWriter(path: string, options: WriteOptions = {}): Promise<AtomicWriter> {
  const folder = dirname(path);
  const temp = join(folder, tempName(basename(path)));
  try {
    await mkdir(folder, { recursive: true });
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

/** `.<name>.<random>.tmp`: hidden, unique, and matched by the default exclude `*.tmp`. Long names are cut to fit 255 bytes. */
function tempName(name: string): string {
  const kept = new TextDecoder()
    .decode(new TextEncoder().encode(name).subarray(0, NAME_KEPT_MAX))
    .replaceAll("\uFFFD", "");
  return `.${kept}.${crypto.randomUUID().replaceAll("-", "").slice(0, 16)}.tmp`;
}

class TempFileWriter implements AtomicWriter {
  #open = true;

  constructor(
    private readonly path: string,
    private readonly temp: string,
    private readonly handle: FileHandle,
    private readonly options: WriteOptions,
  ) {}

  async write(chunk: Uint8Array): Promise<void> {
    try {
      await writeFully(this.handle, chunk);
    } catch (error) {
      throw writeError(this.path, error);
    }
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

/** All of `chunk`: a write may be short without an error (a full disk, a signal). */
export async function writeFully(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  let done = 0;
  while (done < chunk.byteLength) {
    const { bytesWritten } = await handle.write(chunk, done, chunk.byteLength - done, null);
    if (bytesWritten === 0) throw Object.assign(new Error("a write of zero bytes"), { code: "ENOSPC" });
    done += bytesWritten;
  }
}

/** Puts a rename on the disk. Windows cannot open folders and orders renames itself. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
