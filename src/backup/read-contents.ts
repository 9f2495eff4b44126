import { throwIfAborted } from "../core/errors.ts";
import { type Hasher, type NewHasher, sha256Hex } from "../core/hash.ts";
import type { Compression, InflateGroup } from "../platform/contract.ts";
import { Turn } from "../threads/turn.ts";
import type { ArchiveEntry } from "./archive-entry.ts";
import { archiveFault } from "./archive-fault.ts";
import type { ArchiveFile } from "./archive-file.ts";
import type { KnownFile } from "./known-files.ts";
import { dataOffset } from "./local-header.ts";
import { METHOD } from "./zip-format.ts";

/** An entry and what is known of it elsewhere. */
export interface ContentItem {
  /** In the directory that it is read from. */
  readonly place: number;
  readonly entry: ArchiveEntry;
  /** By the archive's manifest; undefined without one. */
  readonly expected: KnownFile | undefined;
  /** True when a file stands where this one is to be. */
  readonly replaces: boolean;
}

/** What contents are read with. */
export interface ContentReading {
  readonly file: ArchiveFile;
  readonly compression: Compression;
  readonly newHasher: NewHasher;
  /** Files up to this size are inflated in this thread: a way to another one costs more. Bytes. */
  readonly inflateHereBytesMax: number;
}

/** Where the checked bytes of files go. */
export interface ContentSink {
  /** A whole file, its bytes checked. They are not to be kept. */
  whole(item: ContentItem, bytes: Uint8Array): void | Promise<void>;
  /** A file too large for that. */
  open(item: ContentItem): LargeSink;
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
  /** Whose pauses tell of bytes and hear of a cancellation; without it one of this call alone. */
  readonly turn?: Turn | undefined;
  /** Called with the place of a file that is read, and where it is to be. */
  readonly onFile: (place: number) => void;
  readonly onBytes: (count: number) => void;
  /** True when it takes the fault of one file and the others go on; without it the first fault ends all. */
  readonly takesFault?: ((place: number, error: unknown) => boolean) | undefined;
}

/** For a look at contents that leaves nothing behind. */
export const nowhere: ContentSink = {
  whole: () => undefined,
  open: () => ({ write: () => undefined, end: () => undefined, drop: () => undefined }),
};

/** Files up to this size are inflated in one call, which takes half the CPU that a stream does. */
export const WHOLE_BYTES_MAX = 4_194_304;
/** And files up to this size many in one call: it takes half as long again. Packed and inflated. */
const SMALL_BYTES_MAX = 65_536;

/**
 * Reads the data of entries in the order of the archive, several at once, and hands on what agrees with its size, its CRC
 * and, where there is a manifest, its SHA-256. Never more is inflated than an entry says. Resolves or throws only when
 * nothing is under way any more.
 * @throws SyncError `archive_invalid`, `aborted`, and what the sink throws
 */
export async function readContents(
  reading: ContentReading,
  items: Iterable<ContentItem>,
  sink: ContentSink,
  options: ReadOptions,
): Promise<void> {
  const turn = options.turn ?? new Turn(options.signal);
  const reader = new ContentReader(reading, sink, options, turn);
  try {
    for (const item of items) {
      throwIfAborted(options.signal);
      const read = reader.read(item);
      // An await for each of many small files would cost as much as hashing them.
      if (read !== undefined) await read;
      if (reader.groupIsFull) await reader.inflateGroup();
      if (turn.due()) await turn.pause();
    }
    await reader.inflateGroup();
  } finally {
    await reader.settle();
  }
  reader.throwFault();
}

class ContentReader {
  readonly #underWay = new Set<Promise<void>>();
  readonly #group: InflateGroup;
  readonly #grouped: ContentItem[] = [];
  #fault: { readonly error: unknown } | undefined;

  constructor(
    private readonly reading: ContentReading,
    private readonly sink: ContentSink,
    private readonly options: ReadOptions,
    private readonly turn: Turn,
  ) {
    this.#group = reading.compression.newInflateGroup(SMALL_BYTES_MAX);
  }

  /** Whether `inflateGroup` is to be called before the next entry is read. */
  get groupIsFull(): boolean {
    return this.#group.isFull;
  }

  /** What it returns is done when the next entry may be read; this one may still be under way. */
  read(item: ContentItem): void | Promise<void> {
    this.throwFault();
    const { entry } = item;
    const { file } = this.reading;
    try {
      const start = dataOffset(file, entry);
      const isAtHand = typeof start === "number" && isGrouped(entry);
      const packed = isAtHand ? file.inWindow(start, entry.compressedSize) : undefined;
      if (packed === undefined) return this.#readFrom(item, start);
      this.#addToGroup(item, packed);
    } catch (error) {
      return this.#failedAfterGroup(item, error);
    }
  }

  /** Files that are inflated together are taken one after another. */
  async inflateGroup(): Promise<void> {
    const items = this.#grouped.splice(0);
    for (const [index, bytes] of this.#group.inflate().entries()) {
      const item = items[index];
      if (item === undefined) continue;
      throwIfAborted(this.options.signal);
      try {
        const taken = this.#take(item, bytes);
        if (taken !== undefined) await taken;
      } catch (error) {
        this.#failed(item, error);
        this.throwFault();
      }
    }
  }

  async #readFrom(item: ContentItem, startAt: number | Promise<number>): Promise<void> {
    const { entry } = item;
    const { file } = this.reading;
    try {
      const start = await startAt;
      if (entry.isFolder) return;
      if (entry.size > WHOLE_BYTES_MAX || entry.compressedSize > 2 * WHOLE_BYTES_MAX) {
        await this.#readLarge(item, start);
      } else {
        const packed = await file.bytes(start, entry.compressedSize);
        if (isGrouped(entry)) this.#addToGroup(item, packed);
        else await this.#readWhole(item, packed);
      }
    } catch (error) {
      await this.#failedAfterGroup(item, error);
    }
  }

  #addToGroup(item: ContentItem, packed: Uint8Array): void {
    this.#group.add(packed, item.entry.size, item.entry.crc);
    this.#grouped.push(item);
  }

  async settle(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  throwFault(): void {
    if (this.#fault !== undefined) throw this.#fault.error;
  }

  /** What comes before it in the archive counts first: the same archive is refused for the same file. */
  async #failedAfterGroup(item: ContentItem, error: unknown): Promise<void> {
    await this.inflateGroup();
    this.#failed(item, error);
    this.throwFault();
  }

  #failed(item: ContentItem, error: unknown): void {
    if (this.options.takesFault?.(item.place, error) !== true) this.#fault ??= { error };
  }

  async #readWhole(item: ContentItem, packed: Uint8Array): Promise<void> {
    const { compression, inflateHereBytesMax } = this.reading;
    const { entry } = item;
    if (entry.method === METHOD.stored) return await this.#take(item, packed);
    if (entry.size <= inflateHereBytesMax) return await this.#take(item, compression.inflateNow(packed, entry.size));
    const task = compression
      // A copy: the window moves on.
      .inflate(packed.slice(), entry.size)
      .then((bytes) => this.#take(item, bytes))
      .catch((error: unknown) => this.#failed(item, error))
      .finally(() => this.#underWay.delete(task));
    this.#underWay.add(task);
    // Enough that no core waits while this thread reads, checks and writes.
    while (this.#underWay.size > 2 * compression.parallelism) await Promise.race(this.#underWay);
  }

  #take(item: ContentItem, bytes: Uint8Array | undefined): void | Promise<void> {
    if (bytes === undefined) throw archiveFault("has a damaged file", item.entry.path);
    const { compression, newHasher } = this.reading;
    checkContent(item, bytes.byteLength, compression.crc32(bytes), () => sha256Hex(newHasher, bytes));
    this.options.onBytes(bytes.byteLength);
    const done = this.sink.whole(item, bytes);
    if (done instanceof Promise) return done.then(() => this.options.onFile(item.place));
    this.options.onFile(item.place);
  }

  async #readLarge(item: ContentItem, start: number): Promise<void> {
    const { file } = this.reading;
    const { entry } = item;
    const check = new ContentCheck(this.reading, item);
    const chunks =
      entry.method === METHOD.stored
        ? whole(file.passing(start, entry.compressedSize))
        : this.#inflated(file.stream(start, entry.compressedSize), entry);
    const to = this.sink.open(item);
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
        if (this.turn.due()) await this.turn.pause();
      }
      check.end();
      await to.end();
    } catch (error) {
      to.drop();
      throw error;
    } finally {
      await chunks.return(false);
    }
    this.options.onFile(item.place);
  }

  #inflated(packed: AsyncGenerator<Uint8Array>, entry: ArchiveEntry): AsyncGenerator<Uint8Array, boolean> {
    return this.reading.compression.inflateStream(packed, entry.compressedSize, entry.size);
  }
}

function isGrouped({ size, compressedSize, method, isFolder }: ArchiveEntry): boolean {
  return method === METHOD.deflated && !isFolder && size <= SMALL_BYTES_MAX && compressedSize <= SMALL_BYTES_MAX;
}

async function* whole(chunks: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array, boolean> {
  yield* chunks;
  return true;
}

/** Holds what goes by against what the archive says of it. */
class ContentCheck {
  readonly #hasher: Hasher | undefined;
  #crc = 0;
  #size = 0;

  constructor(
    private readonly reading: ContentReading,
    private readonly item: ContentItem,
  ) {
    this.#hasher = item.expected === undefined ? undefined : reading.newHasher();
  }

  update(bytes: Uint8Array): void {
    this.#crc = this.reading.compression.crc32(bytes, this.#crc);
    this.#size += bytes.byteLength;
    this.#hasher?.update(bytes);
  }

  /** @throws SyncError `archive_invalid` */
  end(): void {
    checkContent(this.item, this.#size, this.#crc, () => this.#hasher?.digestHex());
  }
}

/** @throws SyncError `archive_invalid` for what is not as the archive says */
function checkContent(
  { entry, expected }: ContentItem,
  size: number,
  crc: number,
  sha256: () => string | undefined,
): void {
  const { path } = entry;
  if (size !== entry.size) throw archiveFault("has a file that is not as long as it says", path);
  if (crc !== entry.crc) throw archiveFault("has a damaged file: its CRC does not match", path);
  if (expected !== undefined && (size !== expected.size || sha256() !== expected.sha256)) {
    throw archiveFault("has a file that is not the one in its manifest", path);
  }
}
