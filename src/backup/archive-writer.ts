import type { AtomicWriter } from "../platform/contract.ts";
import { centralHeader, endRecords, localHeader, type WrittenEntry } from "./zip-records.ts";

/** Bytes gathered before they are written: a call for each small file would cost more than its bytes. */
const BUFFER_BYTES = 1_048_576;

/**
 * Writes the container: headers, data as given, directory, end. What an entry's data are and how they are compressed is
 * the caller's business. Sizes are known to the directory, and to local headers too, written again when the data
 * have gone by: an archive without data descriptors is one that every tool reads.
 */
export class ArchiveWriter {
  readonly #output: AtomicWriter;
  readonly #entries: WrittenEntry[] = [];
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #buffered = 0;
  /** Bytes given so far, buffered ones included. */
  #length = 0;

  constructor(output: AtomicWriter) {
    this.#output = output;
  }

  /** Where the next byte goes. */
  get length(): number {
    return this.#length;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#length += bytes.byteLength;
    if (bytes.byteLength <= BUFFER_BYTES - this.#buffered) {
      this.#buffer.set(bytes, this.#buffered);
      this.#buffered += bytes.byteLength;
      return;
    }
    await this.#flush();
    if (bytes.byteLength >= BUFFER_BYTES) return await this.#output.write(bytes);
    this.#buffer.set(bytes);
    this.#buffered = bytes.byteLength;
  }

  /** Writes an entry whose data are at hand. */
  async add(entry: WrittenEntry, data: Uint8Array): Promise<void> {
    await this.write(localHeader(entry));
    await this.write(data);
    this.#entries.push(entry);
  }

  /** Ends an entry that began with a local header of guesses: puts the true one in its place. */
  async finish(entry: WrittenEntry): Promise<void> {
    await this.#flush();
    await this.#output.writeAt(entry.offset, localHeader(entry));
    this.#entries.push(entry);
  }

  /** Drops what was written from `length` on: the data of an entry that came to nothing. */
  async rewind(length: number): Promise<void> {
    await this.#flush();
    await this.#output.truncate(length);
    this.#length = length;
  }

  /** The central directory and the end. */
  async end(): Promise<void> {
    const offset = this.#length;
    for (const entry of this.#entries) await this.write(centralHeader(entry));
    await this.write(endRecords({ entries: this.#entries.length, offset, length: this.#length - offset }));
    await this.#flush();
  }

  async #flush(): Promise<void> {
    if (this.#buffered === 0) return;
    const bytes = this.#buffer.subarray(0, this.#buffered);
    this.#buffered = 0;
    await this.#output.write(bytes);
  }
}
