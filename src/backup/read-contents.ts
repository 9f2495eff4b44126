import { throwIfAborted } from "../core/errors.ts";
import type { Hasher } from "../core/hash.ts";
import type { ManifestEntry } from "../manifest/manifest.ts";
import { Turn } from "../threads/turn.ts";
import { archiveFault } from "./archive-fault.ts";
import type { BackupEngine } from "./backup-engine.ts";
import { dataOffset } from "./local-header.ts";
import type { OpenArchive } from "./open-archive.ts";
import type { ArchiveEntry } from "./zip-directory.ts";
import { METHOD } from "./zip-format.ts";

/** Where the checked bytes of files go. */
export interface ContentSink {
  /** A whole file, its bytes checked. They are not to be kept. */
  whole(entry: ArchiveEntry, bytes: Uint8Array): void | Promise<void>;
  /** A file too large for that. */
  open(entry: ArchiveEntry): LargeSink;
}

export interface LargeSink {
  write(chunk: Uint8Array): void;
  /** Everything was written and is as it should be. */
  end(): void | Promise<void>;
  /** The file is not to be. */
  drop(): void;
}

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onFile: () => void;
  readonly onBytes: (count: number) => void;
  /** True when it takes the fault of one file and the others go on; without it the first fault ends all. */
  readonly takesFault?: ((entry: ArchiveEntry, error: unknown) => boolean) | undefined;
}

/** For a look at contents that leaves nothing behind. */
export const nowhere: ContentSink = {
  whole: () => undefined,
  open: () => ({ write: () => undefined, end: () => undefined, drop: () => undefined }),
};

/** Files up to this size are inflated in one call. */
const WHOLE_BYTES_MAX = 1_048_576;
/** Up to this size in this thread: a way to another one costs more. */
const NOW_BYTES_MAX = 32_768;

/**
 * Reads the data of entries in the order of the archive, several at once, and hands on what agrees with its size, its CRC
 * and, where there is a manifest, its SHA-256. Never more is inflated than an entry says. Resolves or throws only when
 * nothing is under way any more.
 * @throws SyncError `archive_invalid`, `aborted`, and what the sink throws
 */
export async function readContents(
  engine: BackupEngine,
  archive: OpenArchive,
  entries: readonly ArchiveEntry[],
  sink: ContentSink,
  options: ReadOptions,
): Promise<void> {
  const reader = new ContentReader(engine, archive, sink, options);
  try {
    const turn = new Turn(options.signal);
    for (const entry of entries) {
      throwIfAborted(options.signal);
      await reader.read(entry);
      if (turn.due()) await turn.pause();
    }
  } finally {
    await reader.settle();
  }
  reader.throwFault();
}

class ContentReader {
  readonly #underWay = new Set<Promise<void>>();
  #fault: { readonly error: unknown } | undefined;

  constructor(
    private readonly engine: BackupEngine,
    private readonly archive: OpenArchive,
    private readonly sink: ContentSink,
    private readonly options: ReadOptions,
  ) {}

  /** Returns when the next entry may be read; this one may still be under way. */
  async read(entry: ArchiveEntry): Promise<void> {
    this.throwFault();
    try {
      const start = await dataOffset(this.archive.file, entry);
      if (entry.isFolder) return;
      if (entry.size > WHOLE_BYTES_MAX || entry.compressedSize > 2 * WHOLE_BYTES_MAX) {
        await this.#readLarge(entry, start);
      } else {
        await this.#readWhole(entry, await this.archive.file.bytes(start, entry.compressedSize));
      }
    } catch (error) {
      this.#failed(entry, error);
      this.throwFault();
    }
  }

  async settle(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  throwFault(): void {
    if (this.#fault !== undefined) throw this.#fault.error;
  }

  #failed(entry: ArchiveEntry, error: unknown): void {
    if (this.options.takesFault?.(entry, error) !== true) this.#fault ??= { error };
  }

  async #readWhole(entry: ArchiveEntry, packed: Uint8Array): Promise<void> {
    const { compression } = this.engine;
    if (entry.method === METHOD.stored) return await this.#take(entry, packed);
    if (entry.size <= NOW_BYTES_MAX) return await this.#take(entry, compression.inflateNow(packed, entry.size));
    const task = compression
      .inflate(packed, entry.size)
      .then((bytes) => this.#take(entry, bytes))
      .catch((error: unknown) => this.#failed(entry, error))
      .finally(() => this.#underWay.delete(task));
    this.#underWay.add(task);
    // Enough that no core waits while this thread reads, checks and writes.
    while (this.#underWay.size > 2 * compression.parallelism) await Promise.race(this.#underWay);
  }

  #take(entry: ArchiveEntry, bytes: Uint8Array | undefined): void | Promise<void> {
    if (bytes === undefined) throw archiveFault("has a damaged file", entry.path);
    const check = new ContentCheck(this.engine, this.archive, entry);
    check.update(bytes);
    check.end();
    this.options.onBytes(bytes.byteLength);
    const done = this.sink.whole(entry, bytes);
    if (done instanceof Promise) return done.then(() => this.options.onFile());
    this.options.onFile();
  }

  async #readLarge(entry: ArchiveEntry, start: number): Promise<void> {
    const { file } = this.archive;
    const check = new ContentCheck(this.engine, this.archive, entry);
    const packed = file.stream(start, entry.compressedSize);
    const chunks = entry.method === METHOD.stored ? whole(packed) : this.#inflated(packed, entry);
    const to = this.sink.open(entry);
    try {
      for (let next = await chunks.next(); ; next = await chunks.next()) {
        if (next.done === true) {
          if (!next.value) throw archiveFault("has a damaged file", entry.path);
          break;
        }
        throwIfAborted(this.options.signal);
        check.update(next.value);
        to.write(next.value);
        this.options.onBytes(next.value.byteLength);
      }
      check.end();
      await to.end();
    } catch (error) {
      to.drop();
      throw error;
    } finally {
      await chunks.return(false);
    }
    this.options.onFile();
  }

  #inflated(packed: AsyncGenerator<Uint8Array>, entry: ArchiveEntry): AsyncGenerator<Uint8Array, boolean> {
    return this.engine.compression.inflateStream(packed, entry.compressedSize, entry.size);
  }
}

async function* whole(chunks: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array, boolean> {
  yield* chunks;
  return true;
}

/** Holds what goes by against what the archive says of it. */
class ContentCheck {
  readonly #expected: ManifestEntry | undefined;
  readonly #hasher: Hasher | undefined;
  #crc = 0;
  #size = 0;

  constructor(
    private readonly engine: BackupEngine,
    { embedded }: OpenArchive,
    private readonly entry: ArchiveEntry,
  ) {
    this.#expected = embedded?.manifest.entries.get(entry.path);
    this.#hasher = this.#expected === undefined ? undefined : engine.newHasher();
  }

  update(bytes: Uint8Array): void {
    this.#crc = this.engine.compression.crc32(bytes, this.#crc);
    this.#size += bytes.byteLength;
    this.#hasher?.update(bytes);
  }

  /** @throws SyncError `archive_invalid` */
  end(): void {
    const { path, size, crc } = this.entry;
    if (this.#size !== size) throw archiveFault("has a file that is not as long as it says", path);
    if (this.#crc !== crc) throw archiveFault("has a damaged file: its CRC does not match", path);
    if (this.#expected === undefined) return;
    if (this.#size !== this.#expected.size || this.#hasher?.digestHex() !== this.#expected.sha256) {
      throw archiveFault("has a file that is not the one in its manifest", path);
    }
  }
}
