import type { AtomicWriter } from "../platform/contract.ts";
import { tooLarge } from "./archive-fault.ts";
import { ARCHIVE_LIMITS } from "./zip-format.ts";
import { centralHeader, endRecords, localHeader, type WrittenEntry } from "./zip-records.ts";

type ArchiveLimits = { readonly [limit in keyof typeof ARCHIVE_LIMITS]: number };

/** Bytes gathered before they are written: a call for each small file would cost more than its bytes. */
const BUFFER_BYTES = 1_048_576;
/** Room for the directory at first; it is doubled when it is full. */
const DIRECTORY_BYTES_FIRST = 65_536;

/**
 * Writes the container: headers, data as given, directory, end. What an entry's data are and how they are compressed is
 * the caller's business. Sizes are known to the directory, and to local headers too, written again when the data
 * have gone by: an archive without data descriptors is one that every tool reads.
 */
export class ArchiveWriter {
  readonly #output: AtomicWriter;
  /** The directory as it will be written: entries kept as objects would take five times the memory. */
  #directory = new Uint8Array(DIRECTORY_BYTES_FIRST);
  #directoryLength = 0;
  #entries = 0;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #buffered = 0;
  /** Bytes given so far, buffered ones included. */
  #length = 0;

  constructor(
    output: AtomicWriter,
    private readonly limits: ArchiveLimits = ARCHIVE_LIMITS,
  ) {
    this.#output = output;
  }

  /** Where the next byte goes. */
  get length(): number {
    return this.#length;
  }

  /** Returns at once when there is room in the buffer. */
  write(bytes: Uint8Array): void | Promise<void> {
    this.#length += bytes.byteLength;
    if (bytes.byteLength > BUFFER_BYTES - this.#buffered) return this.#writeAfterFlush(bytes);
    this.#buffer.set(bytes, this.#buffered);
    this.#buffered += bytes.byteLength;
  }

  async #writeAfterFlush(bytes: Uint8Array): Promise<void> {
    await this.#flush();
    if (bytes.byteLength >= BUFFER_BYTES) return await this.#output.write(bytes);
    this.#buffer.set(bytes);
    this.#buffered = bytes.byteLength;
  }

  /** Writes an entry whose data are at hand. @throws SyncError `backup_too_large` */
  add(entry: WrittenEntry, data: Uint8Array): void | Promise<void> {
    this.#note(entry);
    const written = this.write(localHeader(entry));
    return written instanceof Promise ? written.then(() => this.write(data)) : this.write(data);
  }

  /** Ends an entry that began with a local header of guesses: puts the true one in its place. */
  async finish(entry: WrittenEntry): Promise<void> {
    await this.#flush();
    await this.#output.writeAt(entry.offset, localHeader(entry));
    this.#note(entry);
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
    await this.write(this.#directory.subarray(0, this.#directoryLength));
    await this.write(endRecords({ entries: this.#entries, offset, length: this.#length - offset }));
    await this.#flush();
  }

  #note(entry: WrittenEntry): void {
    const header = centralHeader(entry);
    const length = this.#directoryLength + header.byteLength;
    const { entriesMax, directoryBytesMax } = this.limits;
    if (this.#entries === entriesMax || length > directoryBytesMax) throw tooLarge();
    if (length > this.#directory.byteLength) {
      const larger = new Uint8Array(2 * length);
      larger.set(this.#directory.subarray(0, this.#directoryLength));
      this.#directory = larger;
    }
    this.#directory.set(header, this.#directoryLength);
    this.#directoryLength = length;
    this.#entries++;
  }

  async #flush(): Promise<void> {
    if (this.#buffered === 0) return;
    const bytes = this.#buffer.subarray(0, this.#buffered);
    this.#buffered = 0;
    await this.#output.write(bytes);
  }
}
