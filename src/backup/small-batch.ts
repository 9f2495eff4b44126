import { type ThreadPool, ThreadLostError } from "../threads/thread-pool.ts";
import type { Compression } from "../platform/contract.ts";
import { BufferPool } from "./buffer-pool.ts";
import { DEFLATE_WORK, deflateMany, type PackedFiles, type SmallFiles } from "./deflate-job.ts";
import { METHOD } from "./zip-format.ts";
import type { WrittenEntry } from "./zip-records.ts";

/** Bytes and files given to a thread at once. */
const BATCH_BYTES = 131_072;
const BATCH_FILES_MAX = 256;
const buffers = new BufferPool(BATCH_BYTES);

/** An entry of which only what compression decides is open. */
export type SmallEntry = Omit<WrittenEntry, "offset" | "compressedSize" | "method">;

/** Small files that are compressed together, in another thread. */
export class SmallBatch {
  readonly #bytes = buffers.take();
  readonly #entries: SmallEntry[] = [];
  #length = 0;
  #packed: PackedFiles | Promise<PackedFiles> | undefined;

  /** False when it is full. */
  takes(bytes: Uint8Array): boolean {
    return this.#entries.length < BATCH_FILES_MAX && this.#length + bytes.byteLength <= BATCH_BYTES;
  }

  /** Copies `bytes`. */
  add(entry: SmallEntry, bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.byteLength;
    this.#entries.push(entry);
  }

  /** Has it compressed in another thread; nothing more is added from here on. Resolves when that is over, whatever came of it. */
  async start(pool: ThreadPool, compression: Compression, signal: AbortSignal | undefined): Promise<void> {
    const packed = packedBy(pool, compression, this.#files(this.#bytes.slice(0, this.#length)), signal);
    this.#packed = packed;
    // Whoever writes it hears of it.
    await packed.catch(() => undefined);
  }

  /** Compresses it here and now; nothing more is added from here on. */
  compress(compression: Compression): void {
    this.#packed = deflateMany(compression, this.#files(this.#bytes.subarray(0, this.#length)));
  }

  /** Hands over the entries in order, once they are compressed. @throws SyncError `aborted` */
  async write(
    add: (entry: Omit<WrittenEntry, "offset" | "compressedSize">, data: Uint8Array) => void | Promise<void>,
  ): Promise<void> {
    const packed = await this.#packed;
    let from = 0;
    let packedFrom = 0;
    for (const [index, entry] of this.#entries.entries()) {
      const length = packed?.lengths[index] ?? 0;
      const data =
        packed === undefined || length === 0
          ? this.#bytes.subarray(from, from + entry.size)
          : packed.bytes.subarray(packedFrom, packedFrom + length);
      from += entry.size;
      packedFrom += length;
      const added = add({ ...entry, method: length === 0 ? METHOD.stored : METHOD.deflated }, data);
      if (added instanceof Promise) await added;
    }
    buffers.give(this.#bytes);
  }

  #files(bytes: Uint8Array<ArrayBuffer>): SmallFiles {
    return { bytes, lengths: Uint32Array.from(this.#entries, ({ size }) => size) };
  }
}

async function packedBy(
  pool: ThreadPool,
  compression: Compression,
  files: SmallFiles,
  signal: AbortSignal | undefined,
): Promise<PackedFiles> {
  try {
    const [packed] = await pool.run(DEFLATE_WORK, undefined, [files], { signal, onBytes: () => undefined });
    if (packed !== undefined) return packed;
  } catch (error) {
    if (!(error instanceof ThreadLostError)) throw error;
  }
  return deflateMany(compression, files);
}
