import { SyncError, throwIfAborted } from "../../core/errors.ts";
import { type NewHasher, sha256Hex } from "../../core/hash.ts";
import type { Pacer } from "../../core/pacer.ts";
import type { AtomicWriter, FileLock, FileStat, WriteOptions } from "../../platform/contract.ts";
import type { ByteSource, ObjectInfo, Precondition, PutOptions } from "../contract.ts";
import type { Destination } from "./destination.ts";
import { atDestination, destinationError, systemCodeOf } from "./local-error.ts";
import { isTempName } from "./local-keys.ts";
import { infoOf, versionOf } from "./local-version.ts";
import { spelledOtherwise, spellingOf } from "./spelling.ts";

const CHUNK_BYTES = 1024 * 1024;
/** No write goes a day without touching its temp file. */
const TEMP_STALE_NS = 24n * 3_600n * 1_000_000_000n;
/** Deletes beside us may take the emptied folder away between its making and our first file in it. */
const FOLDER_TRIES_MAX = 20;
/** The coarsest clock of a file system in use (FAT): overwrites within it would have one time. */
const CLOCK_STEP_NS = 2_000_000_000n;

/** Brings whole files under their keys. One for each provider: it remembers which folders it has tidied. */
export class LocalWriter {
  readonly #tidied = new Set<string>();

  constructor(
    private readonly destination: Destination,
    private readonly newHasher: NewHasher,
    private readonly pacer: Pacer | undefined,
  ) {}

  /** @throws `content_mismatch`, `precondition_failed`, `key_collision`, `disk_full`, and the source's own errors */
  async put(key: string, source: ByteSource, options: PutOptions): Promise<ObjectInfo> {
    const hasher = this.newHasher();
    const write = async (writer: AtomicWriter): Promise<void> => {
      const opened = await source.open();
      try {
        for (let offset = 0; offset < source.size; ) {
          throwIfAborted(options.signal);
          const chunk = await opened.read(offset, Math.min(CHUNK_BYTES, source.size - offset));
          if (chunk.length === 0)
            throw new SyncError("file_changed", "the source has become shorter while it was read");
          hasher.update(chunk);
          await this.pacer?.take(chunk.length, options.signal);
          await atDestination(() => writer.write(chunk));
          options.onBytes?.(chunk.length);
          offset += chunk.length;
        }
      } finally {
        await opened.close();
      }
      if (hasher.digestHex() !== options.sha256) {
        throw new SyncError(
          "content_mismatch",
          "the bytes do not have the SHA-256 they were announced with; the file changed since it was hashed",
        );
      }
    };
    return await this.replace(key, source.size, write, options);
  }

  /**
   * Copies the file at `from` as it was when it was opened. @throws `object_missing`, `precondition_failed`, and as
   * `put`
   */
  async copy(
    from: string,
    to: string,
    ifVersion: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<ObjectInfo> {
    const found = await this.destination.find(from);
    if (found === undefined) throw new SyncError("object_missing", "the object to copy does not exist");
    const { files } = this.destination;
    const source = await atDestination(() => files.openRead(found.path));
    try {
      const before = await atDestination(() => source.stat());
      if (ifVersion !== undefined && versionOf(before) !== ifVersion) throw conflict();
      const write = async (writer: AtomicWriter): Promise<void> => {
        for (let offset = 0; offset < before.size; ) {
          throwIfAborted(signal);
          const chunk = await atDestination(() => source.read(offset, Math.min(CHUNK_BYTES, before.size - offset)));
          if (chunk.length === 0) break;
          await atDestination(() => writer.write(chunk));
          offset += chunk.length;
        }
        if (versionOf(await atDestination(() => source.stat())) !== versionOf(before)) {
          throw new SyncError("provider_error", "the object was written to in place while it was copied", {
            retryable: true,
          });
        }
      };
      return await this.replace(to, before.size, write, signal === undefined ? {} : { signal });
    } finally {
      await source.close();
    }
  }

  /**
   * Fills a temp file by `write` and gives it the name of `key` when the condition holds. Nothing is left when it
   * fails.
   */
  private async replace(
    key: string,
    size: number,
    write: (writer: AtomicWriter) => Promise<void>,
    { precondition, signal }: Pick<PutOptions, "precondition" | "signal">,
  ): Promise<ObjectInfo> {
    const { destination } = this;
    const before = (await destination.find(key))?.stat;
    checkPrecondition(before, precondition);
    await this.tidyFolderOf(key);
    const writer = await this.openTemp(key, before === undefined ? {} : laterThan(before));
    let lock: FileLock | undefined;
    try {
      await write(writer);
      throwIfAborted(signal);
      if (precondition !== undefined) {
        lock = await this.lockFor(key, signal);
        checkPrecondition((await destination.find(key))?.stat, precondition);
      }
      await destination.checkWay(key);
      throwIfAborted(signal);
      await atDestination(() => writer.commit());
      return await this.written(key, size);
    } catch (error) {
      await writer.abort();
      // Not where something stands in the way: a link there would lead the clearing out of the destination.
      if (!(error instanceof SyncError && error.code === "key_collision")) await destination.removeEmptied(key);
      throw error;
    } finally {
      lock?.release();
    }
  }

  private async openTemp(key: string, options: WriteOptions): Promise<AtomicWriter> {
    for (let tries = 1; ; tries++) {
      await this.destination.checkWay(key);
      try {
        return await this.destination.files.createAtomic(this.destination.pathOf(key), options);
      } catch (error) {
        if (tries >= FOLDER_TRIES_MAX || systemCodeOf(error) !== "ENOENT") throw destinationError(error);
      }
    }
  }

  /** Writers with a condition on one key take turns from the last look to the rename. */
  private async lockFor(key: string, signal: AbortSignal | undefined): Promise<FileLock> {
    const hash = sha256Hex(this.newHasher, new TextEncoder().encode(key));
    const path = this.destination.own("locks", hash.slice(0, 2));
    try {
      return await this.destination.files.lock(path, signal === undefined ? {} : { signal });
    } catch (error) {
      const known = destinationError(error);
      if (known.code !== "provider_error") throw known;
      throw new SyncError("provider_unsupported", "this mount has no file locks, so it cannot keep two writers apart", {
        cause: error,
      });
    }
  }

  /** What `key` shows after our commit. A delete right behind us leaves a version that nothing has. */
  private async written(key: string, size: number): Promise<ObjectInfo> {
    const { destination } = this;
    if ((await destination.folds()) && (await spellingOf(destination, key)) === "other") {
      // The file system has changed the name itself (macOS decomposes accents): no listing would ever give this key.
      await atDestination(() => destination.files.remove(destination.pathOf(key)));
      throw spelledOtherwise();
    }
    const stat = await atDestination(() => destination.files.lstat(destination.pathOf(key)));
    return stat === undefined ? { key, size, version: "deleted" } : infoOf(key, stat);
  }

  /** Removes what writers that were killed left in the folder of `key`, before the first file goes there. */
  private async tidyFolderOf(key: string): Promise<void> {
    const { files } = this.destination;
    const folder = files.dirname(this.destination.pathOf(key));
    if (this.#tidied.has(folder)) return;
    this.#tidied.add(folder);
    if (folder !== this.destination.root && (await atDestination(() => files.realPath(folder))) !== folder) return;
    const temps = ((await atDestination(() => files.list(folder))) ?? []).filter(isTempName);
    for (const temp of temps) {
      const path = files.join(folder, temp);
      const stat = await files.lstat(path).catch(() => undefined);
      if (stat?.kind !== "file" || BigInt(Date.now()) * 1_000_000n - stat.mtimeNs < TEMP_STALE_NS) continue;
      await files.remove(path).catch(() => false);
    }
  }
}

/** Now, but never a time that a file system's clock could show as the same as `before`'s. */
function laterThan(before: FileStat): WriteOptions {
  const now = BigInt(Date.now()) * 1_000_000n;
  const earliest = before.mtimeNs + CLOCK_STEP_NS;
  return { mtimeNs: now > earliest ? now : earliest };
}

function checkPrecondition(stat: FileStat | undefined, precondition: Precondition | undefined): void {
  if (precondition === undefined) return;
  const holds =
    precondition.kind === "absent"
      ? stat === undefined
      : stat !== undefined && versionOf(stat) === precondition.version;
  if (!holds) throw conflict();
}

function conflict(): SyncError {
  return new SyncError("precondition_failed", "another writer changed the object first");
}
