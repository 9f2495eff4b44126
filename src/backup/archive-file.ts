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

  /** Exactly `length` bytes, never to be written to; at once when they are in the window. @throws SyncError `archive_invalid` */
  bytes(offset: number, length: number, aheadBytes = WINDOW_BYTES): Uint8Array | Promise<Uint8Array> {
    const from = offset - this.#start;
    if (from >= 0 && from + length <= this.#window.byteLength) return this.#window.subarray(from, from + length);
    return this.#load(offset, length, Math.max(length, Math.min(aheadBytes, this.#aheadEnd - offset)));
  }

  /** A view on bytes that are not kept in the window. */
  async *stream(offset: number, length: number): AsyncGenerator<Uint8Array> {
    for (let at = offset; at < offset + length; at += WINDOW_BYTES) {
      const count = Math.min(WINDOW_BYTES, offset + length - at);
      const bytes = await this.#handle.read(at, count);
      if (bytes.byteLength < count) throw archiveFault("is cut short");
      yield bytes;
    }
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  async #load(offset: number, length: number, readBytes: number): Promise<Uint8Array> {
    if (offset + length > this.size) throw archiveFault("is cut short, or an entry reaches past its end");
    const bytes = await this.#handle.read(offset, readBytes);
    if (bytes.byteLength < length) throw archiveFault("was cut short while it was read");
    this.#window = bytes;
    this.#start = offset;
    return bytes.subarray(0, length);
  }
}
