import { Buffer } from "node:buffer";
import { gunzipSync, inflateRawSync } from "node:zlib";
import type { InflateGroup } from "../contract.ts";
import { inflateOptions, wholeOrNothing } from "./zlib-answer.ts";

/** A group is full with so many packed bytes: few enough for a core's cache. */
const PACKED_BYTES_FULL = 32_768;
/** Inflated. */
const BYTES_FULL = 98_304;
const MEMBERS_MAX = 256;

const HEADER_BYTES = 10;
const TRAILER_BYTES = 8;
/** Begins every member of a gzip file: the signature and Deflate, the one method there is. */
const MEMBER_START = new Uint8Array([0x1f, 0x8b, 0x08]);

/**
 * Raw Deflate streams as the members of one gzip file, which zlib inflates in one call. Each gets the header and the
 * trailer (CRC, size) that its ZIP entry tells of, so zlib itself finds every one that is damaged.
 *
 * Nobody may smuggle a member in: a group that has the start of one anywhere but where it was put is not inflated as
 * one. Nor may a stream swallow the next: it would unfold to our headers, and in them are four bytes that nobody knows.
 */
export class GzipGroup implements InflateGroup {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  readonly #starts = new Uint32Array(MEMBERS_MAX);
  readonly #sizes = new Uint32Array(MEMBERS_MAX);
  readonly #header: Uint8Array;
  #length = 0;
  #used = 0;
  #size = 0;

  constructor(pieceBytesMax: number) {
    this.#bytes = Buffer.allocUnsafeSlow(PACKED_BYTES_FULL + HEADER_BYTES + pieceBytesMax + TRAILER_BYTES);
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength);
    const unknown = crypto.getRandomValues(new Uint8Array(4));
    this.#header = new Uint8Array([...MEMBER_START, 0, ...unknown, 0, 0xff]);
  }

  get isFull(): boolean {
    return this.#length >= MEMBERS_MAX || this.#used >= PACKED_BYTES_FULL || this.#size >= BYTES_FULL;
  }

  add(packed: Uint8Array, size: number, crc: number): void {
    const bytes = this.#bytes;
    this.#starts[this.#length] = this.#used;
    this.#sizes[this.#length] = size;
    bytes.set(this.#header, this.#used);
    bytes.set(packed, this.#used + HEADER_BYTES);
    const end = this.#used + HEADER_BYTES + packed.byteLength;
    this.#view.setUint32(end, crc, true);
    this.#view.setUint32(end + 4, size, true);
    this.#used = end + TRAILER_BYTES;
    this.#size += size;
    this.#length++;
  }

  inflate(): readonly (Uint8Array | undefined)[] {
    const whole = this.#isAsPut() ? this.#together() : undefined;
    const inflated: (Uint8Array | undefined)[] = [];
    let from = 0;
    for (let i = 0; i < this.#length; i++) {
      const size = this.#sizes[i] ?? 0;
      inflated.push(whole === undefined ? this.#alone(i) : whole.subarray(from, from + size));
      from += size;
    }
    this.#length = 0;
    this.#used = 0;
    this.#size = 0;
    return inflated;
  }

  #isAsPut(): boolean {
    const bytes = this.#bytes.subarray(0, this.#used);
    for (let i = 0, at = 0; i < this.#length; i++, at++) {
      at = bytes.indexOf(MEMBER_START, at);
      if (at !== this.#starts[i]) return false;
    }
    const last = this.#starts[this.#length - 1] ?? 0;
    return bytes.indexOf(MEMBER_START, last + 1) < 0;
  }

  #together(): Uint8Array | undefined {
    try {
      return wholeOrNothing(
        gunzipSync(this.#bytes.subarray(0, this.#used), inflateOptions(this.#size)),
        this.#used,
        this.#size,
      );
    } catch {
      return undefined;
    }
  }

  /** What is damaged alone can be told from what is not. */
  #alone(index: number): Uint8Array | undefined {
    const start = (this.#starts[index] ?? 0) + HEADER_BYTES;
    const next = index + 1 < this.#length ? (this.#starts[index + 1] ?? 0) : this.#used;
    return inflateRawNow(this.#bytes.subarray(start, next - TRAILER_BYTES), this.#sizes[index] ?? 0);
  }
}

/** The `size` bytes that a whole raw stream stands for; undefined when it is broken, stands for more or less, or is followed by anything. */
export function inflateRawNow(bytes: Uint8Array, size: number): Uint8Array | undefined {
  try {
    return wholeOrNothing(inflateRawSync(bytes, inflateOptions(size)), bytes.byteLength, size);
  } catch {
    return undefined;
  }
}
