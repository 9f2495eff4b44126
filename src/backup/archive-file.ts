import { archiveFault } from "./archive-fault.ts";
import type { FileStat, ReadHandle } from "../platform/contract.ts";

/** Bytes read at once: entries are read in the order of the file, so most are in memory already. */
const WINDOW_BYTES = 1_048_576;

/** An open archive, read through a window that moves along. */
export class ArchiveFile {
  readonly #handle: ReadHandle;
  /** Bytes. */
  readonly size: number;
  readonly #aheadEnd: number;
  /** One buffer for all that is read: left to the garbage collector they would pile up. */
  #buffer: Uint8Array | undefined;
  #window: Uint8Array = new Uint8Array();
  #start = 0;

  private constructor(handle: ReadHandle, size: number, aheadEnd: number) {
    this.#handle = handle;
    this.size = size;
    this.#aheadEnd = aheadEnd;
  }

  /** @param aheadEnd offset of what nobody will ask for: nothing from there on is read ahead */
  static async of(handle: ReadHandle, aheadEnd = Number.POSITIVE_INFINITY): Promise<ArchiveFile> {
    return new ArchiveFile(handle, (await handle.stat()).size, aheadEnd);
  }

  /** Of the open file. */
  stat(): Promise<FileStat> {
    return this.#handle.stat();
  }

  /**
   * Exactly `length` bytes, never to be written to, and good until the next call; at once when they are in the window.
   * @throws SyncError `archive_invalid`
   */
  bytes(offset: number, length: number, aheadBytes = WINDOW_BYTES): Uint8Array | Promise<Uint8Array> {
    return (
      this.inWindow(offset, length) ??
      this.#load(offset, length, Math.max(length, Math.min(aheadBytes, this.#aheadEnd - offset)))
    );
  }

  /** The same bytes when they are in memory; else undefined. */
  inWindow(offset: number, length: number): Uint8Array | undefined {
    const from = offset - this.#start;
    const isThere = from >= 0 && from + length <= this.#window.byteLength;
    return isThere ? this.#window.subarray(from, from + length) : undefined;
  }

  /** Exactly `length` bytes for as long as they are wanted. @throws SyncError `archive_invalid` */
  async copy(offset: number, length: number): Promise<Uint8Array> {
    if (offset + length > this.size) throw reachesPast();
    const bytes = await this.#handle.read(offset, length);
    if (bytes.byteLength < length) throw wasCut();
    return bytes;
  }

  /** Bytes in chunks that may be kept; the window is left alone. @throws SyncError `archive_invalid` */
  async *stream(offset: number, length: number): AsyncGenerator<Uint8Array> {
    for (let at = offset; at < offset + length; at += WINDOW_BYTES) {
      yield await this.copy(at, Math.min(WINDOW_BYTES, offset + length - at));
    }
  }

  /** The same in chunks of which each is good until the next is asked for. @throws SyncError `archive_invalid` */
  async *passing(offset: number, length: number): AsyncGenerator<Uint8Array> {
    const buffer = new Uint8Array(Math.min(WINDOW_BYTES, length));
    for (let at = offset; at < offset + length; at += buffer.byteLength) {
      const chunk = buffer.subarray(0, offset + length - at);
      if ((await this.#handle.readInto(at, chunk)) < chunk.byteLength) throw wasCut();
      yield chunk;
    }
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  async #load(offset: number, length: number, readBytes: number): Promise<Uint8Array> {
    if (offset + length > this.size) throw reachesPast();
    // What is larger than the window goes by without it.
    if (length > WINDOW_BYTES) return await this.copy(offset, length);
    this.#buffer ??= new Uint8Array(Math.min(WINDOW_BYTES, this.size));
    this.#window = this.#buffer.subarray(0, 0);
    const count = await this.#handle.readInto(offset, this.#buffer.subarray(0, readBytes));
    if (count < length) throw wasCut();
    this.#window = this.#buffer.subarray(0, count);
    this.#start = offset;
    return this.#window.subarray(0, length);
  }
}

function reachesPast(): Error {
  return archiveFault("is cut short, or an entry reaches past its end");
}

function wasCut(): Error {
  return archiveFault("was cut short while it was read");
}
