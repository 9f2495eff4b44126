import { closeSync, constants, fdatasyncSync, openSync, writeSync } from "node:fs";
import {
  type FileHandle,
  lstat,
  mkdtemp,
  open,
  readdir,
  realpath,
  rm,
  rmdir,
  stat,
  statfs,
  unlink,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import process from "node:process";
import { SyncError } from "../../core/errors.ts";
import type { AppendHandle, Files, FileStat, ReadHandle } from "../contract.ts";
import { createAtomicWriter } from "./atomic-writer.ts";
import { lockFile } from "./file-lock.ts";
import { fileStat } from "./file-stat.ts";
import { makeFolders } from "./make-folder.ts";
import { isAbsent, readError, systemCode, writeError } from "./system-error.ts";

const LOCK_TIMEOUT_MS = 10_000;

/** Linux's magic numbers of tmpfs and ramfs. */
const MEMORY_FILE_SYSTEMS: ReadonlySet<number> = new Set([0x0102_1994, 0x8584_58f6]);

/** Files through node:fs, which Bun and Deno carry alike. */
export const nodeFiles: Files = {
  join,
  dirname,
  basename,
  resolve: (path, from = "") => resolve(from, path),
  realPath: (path) => absentAsUndefined(path, () => realpath(path)),
  stat: (path) => absentAsUndefined(path, async () => fileStat(await stat(path, { bigint: true }))),
  lstat: (path) => absentAsUndefined(path, async () => fileStat(await lstat(path, { bigint: true }))),
  list: (path) => absentAsUndefined(path, () => readdir(path)),
  readBytes,
  openRead,
  writeAtomic: async (path, bytes, options) => {
    const writer = await createAtomicWriter(path, options);
    try {
      await writer.write(bytes);
    } catch (error) {
      await writer.abort();
      throw error;
    }
    await writer.commit();
  },
  createAtomic: createAtomicWriter,
  openAppend,
  makeFolder: async (path) => {
    try {
      await makeFolders(path);
    } catch (error) {
      throw writeError(path, error);
    }
  },
  remove,
  removeEmptyFolder,
  freeBytes: async (path) => {
    try {
      const { bavail, bsize } = await statfs(path);
      return bavail * bsize;
    } catch {
      return undefined;
    }
  },
  makeTempFolder: async (prefix, parent = tmpdir()) => {
    try {
      return await mkdtemp(join(parent, prefix));
    } catch (error) {
      throw writeError(parent, error);
    }
  },
  isMemoryBacked: async (path) => {
    try {
      return MEMORY_FILE_SYSTEMS.has((await statfs(path)).type);
    } catch {
      return false;
    }
  },
  isOwn: async (path) => {
    try {
      const { uid } = await lstat(path);
      return process.getuid === undefined || uid === process.getuid();
    } catch {
      return false;
    }
  },
  removeTree: async (path) => {
    try {
      await rm(path, { recursive: true, force: true });
    } catch (error) {
      throw writeError(path, error);
    }
  },
  lock: (path, options = {}) => lockFile(path, options.timeoutMs ?? LOCK_TIMEOUT_MS, options.signal),
};

async function absentAsUndefined<T>(path: string, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw readError(path, error);
  }
}

async function readBytes(path: string, maxBytes = Number.MAX_SAFE_INTEGER): Promise<Uint8Array | undefined> {
  let handle: ReadHandle;
  try {
    handle = await openRead(path);
  } catch (error) {
    if (error instanceof SyncError && error.code === "file_missing") return undefined;
    throw error;
  }
  try {
    const { size } = await handle.stat();
    if (size > maxBytes) {
      throw new SyncError("file_unreadable", `${path} holds ${size} bytes; at most ${maxBytes} are read`);
    }
    return await handle.read(0, size);
  } finally {
    await handle.close();
  }
}

async function openRead(path: string): Promise<ReadHandle> {
  let handle: FileHandle;
  try {
    // O_NONBLOCK: opening a FIFO that nobody writes would wait for ever.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw readError(path, error);
  }
  if (!(await handle.stat()).isFile()) {
    await handle.close();
    throw new SyncError("file_unreadable", `${path} is not a regular file`);
  }
  return new FileReader(path, handle);
}

class FileReader implements ReadHandle {
  constructor(
    private readonly path: string,
    private readonly handle: FileHandle,
  ) {}

  async stat(): Promise<FileStat> {
    return fileStat(await this.handle.stat({ bigint: true }));
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    const done = await this.readInto(offset, bytes);
    return done === length ? bytes : bytes.subarray(0, done);
  }

  async readInto(offset: number, into: Uint8Array): Promise<number> {
    let done = 0;
    try {
      while (done < into.byteLength) {
        const { bytesRead } = await this.handle.read(into, done, into.byteLength - done, offset + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
    } catch (error) {
      throw readError(this.path, error);
    }
    return done;
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}

async function openAppend(path: string, options: { readonly mode?: number } = {}): Promise<AppendHandle> {
  const orWriteError = <T>(write: () => T): T => {
    try {
      return write();
    } catch (error) {
      throw writeError(path, error);
    }
  };
  try {
    await makeFolders(dirname(path));
  } catch (error) {
    throw writeError(path, error);
  }
  const descriptor = orWriteError(() => openSync(path, "a", options.mode ?? 0o644));
  return {
    append: (bytes) =>
      orWriteError(() => {
        for (let done = 0; done < bytes.byteLength; ) done += writeSync(descriptor, bytes, done);
      }),
    sync: async () => orWriteError(() => fdatasyncSync(descriptor)),
    close: async () => closeSync(descriptor),
  };
}

async function remove(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if (isAbsent(error)) return false;
    // Linux says EISDIR for a folder, macOS EPERM.
    if (systemCode(error) !== "EISDIR" && systemCode(error) !== "EPERM") throw writeError(path, error);
  }
  try {
    await rmdir(path);
    return true;
  } catch (error) {
    throw writeError(path, error);
  }
}

/** What rmdir answers for "not empty" (two spellings), "not a folder" and "not there". */
const NOT_AN_EMPTY_FOLDER = new Set(["ENOTEMPTY", "EEXIST", "ENOTDIR", "ENOENT"]);

async function removeEmptyFolder(path: string): Promise<boolean> {
  try {
    await rmdir(path);
    return true;
  } catch (error) {
    if (NOT_AN_EMPTY_FOLDER.has(systemCode(error) ?? "")) return false;
    throw writeError(path, error);
  }
}
