import { throwIfAborted } from "../core/errors.ts";
import type { NewHasher } from "../core/hash.ts";
import type { RelativePath } from "../core/paths.ts";
import { skipReasonOf } from "../manifest/folder-lister.ts";
import type { FoundFile } from "../manifest/walk.ts";
import type { ManifestEntry, SkipReason } from "../manifest/manifest.ts";
import { pythonMtime } from "../manifest/python-float.ts";
import type { Compression, FileStat, TreeFile, TreeReader } from "../platform/contract.ts";
import type { ThreadPool } from "../threads/thread-pool.ts";
import type { ArchiveWriter } from "./archive-writer.ts";
import { BufferPool } from "./buffer-pool.ts";
import { deflatePiece, dictionaryFrom, isCompressible, NOW_BYTES_MAX } from "./deflate-pieces.ts";
import { fill, isUnchanged, type Read, readFully, readOf } from "./entry-reading.ts";
import { SmallBatch, type SmallEntry } from "./small-batch.ts";
import { METHOD } from "./zip-format.ts";
import { localHeader, type WrittenEntry } from "./zip-records.ts";

/** Files up to this size are read whole; larger ones go by in pieces of it. */
const PIECE_BYTES = 1_048_576;
const COPIED_BYTES_MAX = 65_536;
/** Entries that wait for one before them, none larger than COPIED_BYTES_MAX beside those with buffers. */
const PENDING_MAX = 256;
/** A small file that changes while it is read is often a save that is over by now. */
const ATTEMPTS = 2;
/** From here on eight bytes are kept for the sizes: stored blocks make data that do not compress a little longer. */
const ROOMY_BYTES_MIN = 0xfff0_0000;

export interface PackerSurroundings {
  readonly tree: TreeReader;
  readonly compression: Compression;
  readonly newHasher: NewHasher;
  /** Threads that compress small files; without them this one does. */
  readonly pool?: ThreadPool | undefined;
  readonly signal?: AbortSignal | undefined;
  /** True for a file that must not be archived whatever its name, e.g. a hard link to the vault. */
  readonly isProtected: (stat: FileStat) => boolean;
  /** Bytes read since the last call. */
  readonly onBytes: (count: number) => void;
}

interface Pending {
  readonly entry: Omit<WrittenEntry, "offset" | "compressedSize">;
  readonly data: Uint8Array | Promise<Uint8Array>;
  readonly buffer: Uint8Array<ArrayBuffer> | undefined;
}

/** An entry of the manifest, or why a file is not in the archive. */
type Outcome = ManifestEntry | SkipReason;

interface Content {
  readonly size: number;
  readonly crc: number;
  readonly sha256: string;
  readonly method: number;
}

/**
 * Reads files, hashes exactly the bytes it archives, and compresses several pieces at once while their order in the
 * archive stays the order of the calls. Memory is bounded by the pieces under way.
 */
export class EntryPacker {
  readonly #writer: ArchiveWriter;
  readonly #around: PackerSurroundings;
  readonly #buffers = new BufferPool(PIECE_BYTES);
  readonly #pending: (Pending | SmallBatch)[] = [];
  /** Of small files, while it fills. */
  #batch: SmallBatch | undefined;
  /** Batches that other threads compress. */
  #batchesAway = 0;
  /** Of #pending, those that are batches. */
  #batchesPending = 0;
  /** Of #pending, those with a buffer. */
  #buffersPending = 0;
  /** Buffers under way: enough that no core waits while this thread reads and writes. */
  readonly #buffersMax: number;
  readonly #encoder = new TextEncoder();

  constructor(writer: ArchiveWriter, around: PackerSurroundings) {
    this.#writer = writer;
    this.#around = around;
    this.#buffersMax = 2 * around.compression.parallelism + 2;
  }

  /**
   * Adds a file, or says why it cannot be archived whole; then nothing of it is in the archive.
   * @throws SyncError `aborted`, `disk_full`, `write_failed`
   */
  addFile(source: FoundFile): Outcome | Promise<Outcome> {
    throwIfAborted(this.#around.signal);
    const outcome = this.#attempt(source);
    return outcome === "changed" || outcome instanceof Promise ? this.#again(source, outcome) : outcome;
  }

  async #again(source: FoundFile, first: Outcome | Promise<Outcome>): Promise<Outcome> {
    let outcome = await first;
    for (let attempt = 1; attempt < ATTEMPTS && outcome === "changed"; attempt++) {
      outcome = await this.#attempt(source);
    }
    return outcome;
  }

  /** Adds what `chunks` holds as an entry of its own; its size. @throws as addFile */
  async addDocument(path: RelativePath, chunks: Iterable<Uint8Array>, mtime: number): Promise<number> {
    const stream = await this.#stream(path, readOf(chunks), { size: 0, mtime, mode: 0o644 });
    await this.#writer.finish(stream.entry);
    return stream.entry.size;
  }

  /** Everything that was added is in the writer when this resolves. */
  async settle(): Promise<void> {
    this.#startBatch();
    while (this.#pending.length > 0) await this.#writeFirst();
  }

  /** At once for a small file: for tens of thousands of them promises would cost as much as compressing them. */
  #attempt({ path, native }: FoundFile): Outcome | Promise<Outcome> {
    let file: TreeFile;
    try {
      file = this.#around.tree.open(native);
    } catch (error) {
      return skipReasonOf(error);
    }
    let large: Promise<Outcome> | undefined;
    try {
      const stat = file.stat();
      if (stat.kind !== "file") return "not_a_file";
      if (this.#around.isProtected(stat)) return "protected";
      if (stat.size <= PIECE_BYTES) return this.#addWhole(path, file, stat);
      large = this.#addLarge(path, file, stat).finally(() => file.close());
      return large;
    } finally {
      // All of a small file has been read by now.
      if (large === undefined) file.close();
    }
  }

  #addWhole(path: RelativePath, file: TreeFile, stat: FileStat): Outcome | Promise<Outcome> {
    const { compression, newHasher, onBytes, pool } = this.#around;
    const buffer = this.#buffers.take();
    const filled = fill(buffer, (into) => file.read(into), stat.size);
    if (typeof filled === "string" || !isUnchanged(stat, file.stat(), filled)) {
      this.#buffers.give(buffer);
      return typeof filled === "string" ? filled : "changed";
    }
    onBytes(filled);
    const bytes = buffer.subarray(0, filled);
    const hasher = newHasher();
    hasher.update(bytes);
    const mtime = pythonMtime(stat.mtimeNs);
    const crc = compression.crc32(bytes);
    const name = this.#encoder.encode(path);
    const added = { path, size: filled, mtime, sha256: hasher.digestHex() };
    if (pool !== undefined && filled > 0 && filled <= NOW_BYTES_MAX) {
      const batched = this.#addSmall(pool, { name, crc, size: filled, mtime, mode: stat.mode, roomy: false }, bytes);
      this.#buffers.give(buffer);
      return batched instanceof Promise ? batched.then(() => added) : added;
    }
    const stored = !isCompressible(compression, bytes);
    const packed = stored ? bytes : deflatePiece(compression, bytes, { more: false });
    // Compressed here and now: if it did not help, the bytes themselves are archived.
    const keeps = stored || (packed instanceof Uint8Array && packed.byteLength >= bytes.byteLength);
    // A small copy lets the buffer go at once; a large one waits with its buffer.
    const data = !keeps ? packed : filled <= COPIED_BYTES_MAX ? bytes.slice() : bytes;
    const needsBuffer = data === bytes || data instanceof Promise;
    if (!needsBuffer) this.#buffers.give(buffer);
    const pushed = this.#push({
      entry: {
        name,
        method: keeps ? METHOD.stored : METHOD.deflated,
        crc,
        size: filled,
        mtime,
        mode: stat.mode,
        roomy: false,
      },
      data,
      buffer: needsBuffer ? buffer : undefined,
    });
    return pushed instanceof Promise ? pushed.then(() => added) : added;
  }

  async #addLarge(path: RelativePath, file: TreeFile, stat: FileStat): Promise<Outcome> {
    const mtime = pythonMtime(stat.mtimeNs);
    const { size, mode } = stat;
    let fault: SkipReason | undefined;
    const read: Read = (into) => {
      try {
        return file.read(into);
      } catch (error) {
        fault = skipReasonOf(error);
        return 0;
      }
    };
    const { entry, sha256 } = await this.#stream(path, read, { size, mtime, mode });
    if (fault === undefined && isUnchanged(stat, file.stat(), entry.size)) {
      await this.#writer.finish(entry);
      return { path, size, mtime, sha256 };
    }
    await this.#writer.rewind(entry.offset);
    return fault ?? "changed";
  }

  /** Writes a header of guesses and the data; the caller finishes the entry or rewinds. `size` is what is expected. */
  async #stream(
    path: RelativePath,
    read: Read,
    expected: { readonly size: number; readonly mtime: number; readonly mode: number },
  ): Promise<{ entry: WrittenEntry; sha256: string }> {
    await this.settle();
    const offset = this.#writer.length;
    const draft: WrittenEntry = {
      name: this.#encoder.encode(path),
      method: METHOD.stored,
      crc: 0,
      size: 0,
      compressedSize: 0,
      offset,
      mtime: expected.mtime,
      mode: expected.mode,
      roomy: expected.size >= ROOMY_BYTES_MIN,
    };
    const header = localHeader(draft);
    await this.#writer.write(header);
    const { sha256, ...content } = await this.#streamData(read, expected.size);
    const compressedSize = this.#writer.length - offset - header.byteLength;
    return { entry: { ...draft, ...content, compressedSize }, sha256 };
  }

  async #streamData(read: Read, expectedSize: number): Promise<Content> {
    const { compression, newHasher, onBytes, signal } = this.#around;
    const hasher = newHasher();
    const underWay: { data: Uint8Array | Promise<Uint8Array>; buffer: Uint8Array<ArrayBuffer> }[] = [];
    const writeFirst = async () => {
      const first = underWay.shift();
      if (first === undefined) return;
      await this.#writer.write(await first.data);
      this.#buffers.give(first.buffer);
    };
    // One byte more than there should be shows that a file grows; one that grows without end is not followed.
    let allowed = expectedSize === 0 ? Number.POSITIVE_INFINITY : expectedSize + 1;
    const readInto = (into: Uint8Array): number => {
      const count = readFully(read, into.subarray(0, Math.min(into.byteLength, allowed)));
      allowed -= count;
      return count;
    };
    let buffer = this.#buffers.take();
    let length = readInto(buffer);
    const method = isCompressible(compression, buffer.subarray(0, length)) ? METHOD.deflated : METHOD.stored;
    let size = 0;
    let crc = 0;
    let dictionary: Uint8Array | undefined;
    for (let more = true; more; ) {
      throwIfAborted(signal);
      const bytes = buffer.subarray(0, length);
      const next = this.#buffers.take();
      const nextLength = readInto(next);
      more = nextLength > 0;
      size += length;
      onBytes(length);
      hasher.update(bytes);
      crc = compression.crc32(bytes, crc);
      const data = method === METHOD.stored ? bytes : deflatePiece(compression, bytes, { dictionary, more });
      if (data instanceof Promise) data.catch(() => undefined);
      if (method === METHOD.deflated && more) dictionary = dictionaryFrom(bytes);
      underWay.push({ data, buffer });
      while (underWay.length >= (method === METHOD.stored ? 1 : this.#buffersMax)) await writeFirst();
      buffer = next;
      length = nextLength;
    }
    this.#buffers.give(buffer);
    while (underWay.length > 0) await writeFirst();
    return { size, crc, sha256: hasher.digestHex(), method };
  }

  #addSmall(pool: ThreadPool, entry: SmallEntry, bytes: Uint8Array): void | Promise<void> {
    if (this.#batch?.takes(bytes) === false) this.#startBatch();
    this.#batch ??= new SmallBatch();
    this.#batch.add(entry, bytes);
    if (this.#batchesPending >= pool.depth) return this.#makeRoom();
  }

  /** What comes from here on comes after the batch that has been filling. */
  #startBatch(): void {
    const { pool, compression, signal } = this.#around;
    if (this.#batch === undefined || pool === undefined) return;
    // This thread is one of those that compress: it does so when the others have enough to do.
    if (this.#batchesAway < Math.max(1, pool.threads - 1)) {
      this.#batchesAway++;
      void this.#batch.start(pool, compression, signal).then(() => this.#batchesAway--);
    } else {
      this.#batch.compress(compression);
    }
    this.#pending.push(this.#batch);
    this.#batchesPending++;
    this.#batch = undefined;
  }

  #push(pending: Pending): void | Promise<void> {
    this.#startBatch();
    const { entry, data } = pending;
    if (data instanceof Promise) data.catch(() => undefined);
    else if (this.#pending.length === 0 && pending.buffer === undefined) return this.#write(entry, data);
    this.#pending.push(pending);
    if (pending.buffer !== undefined) this.#buffersPending++;
    return this.#makeRoom();
  }

  async #makeRoom(): Promise<void> {
    const isReady = (first: Pending | SmallBatch | undefined) =>
      first !== undefined && !(first instanceof SmallBatch) && first.data instanceof Uint8Array;
    const batchesMax = this.#around.pool?.depth ?? 1;
    // What is ready goes at once; what is being compressed may wait while other cores have work.
    while (
      this.#buffersPending >= this.#buffersMax ||
      this.#pending.length >= PENDING_MAX ||
      this.#batchesPending >= batchesMax ||
      isReady(this.#pending[0])
    ) {
      await this.#writeFirst();
    }
  }

  #write(entry: Pending["entry"], data: Uint8Array): void | Promise<void> {
    return this.#writer.add({ ...entry, offset: this.#writer.length, compressedSize: data.byteLength }, data);
  }

  async #writeFirst(): Promise<void> {
    const first = this.#pending.shift();
    if (first === undefined) return;
    if (first instanceof SmallBatch) {
      await first.write((entry, data) => this.#write(entry, data));
      this.#batchesPending--;
      return;
    }
    await this.#write(first.entry, await first.data);
    if (first.buffer === undefined) return;
    this.#buffersPending--;
    this.#buffers.give(first.buffer);
  }
}
