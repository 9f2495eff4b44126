import type { Compression } from "../platform/contract.ts";
import { archiveFault } from "./archive-fault.ts";
import { EXTRA, IN_ZIP64 } from "./zip-format.ts";
import { readU64, viewOf } from "./zip-end.ts";

/** Sizes and place of an entry; fields of four bytes may say "look into the Zip64 field". */
export interface EntryNumbers {
  readonly size: number;
  readonly compressedSize: number;
  /** 0 for a local header, which has none. */
  readonly offset: number;
}

/** Where the data of a field are; `end` 0 for a field that is not there. */
interface FieldPlace {
  at: number;
  end: number;
}

/** The extra fields of one header after another; made once for many, because archives hold many. */
export class ExtraFields {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #zip64: FieldPlace = { at: 0, end: 0 };
  readonly #unixTime: FieldPlace = { at: 0, end: 0 };
  readonly #unicodePath: FieldPlace = { at: 0, end: 0 };

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
  }

  /**
   * Goes to the fields from `start` to `end`.
   * @throws SyncError `archive_invalid` when they do not fill their room exactly, or one that counts is there twice
   */
  read(start: number, end: number): void {
    this.#zip64.end = 0;
    this.#unixTime.end = 0;
    this.#unicodePath.end = 0;
    for (let at = start; at < end; ) {
      if (at + 4 > end) throw archiveFault("has an entry with broken extra fields");
      const dataEnd = at + 4 + this.#view.getUint16(at + 2, true);
      if (dataEnd > end) throw archiveFault("has an entry with broken extra fields");
      const field = this.#fieldOf(this.#view.getUint16(at, true));
      if (field !== undefined) {
        if (field.end !== 0) throw archiveFault("has an entry with one extra field twice");
        field.at = at + 4;
        field.end = dataEnd;
      }
      at = dataEnd;
    }
  }

  /**
   * `plain` with what the Zip64 field holds. A field that repeats what was said already must say the same.
   * @throws SyncError `archive_invalid`
   */
  withZip64(plain: EntryNumbers): EntryNumbers {
    const { at, end } = this.#zip64;
    const isPlain = plain.size !== IN_ZIP64 && plain.compressedSize !== IN_ZIP64 && plain.offset !== IN_ZIP64;
    if (isPlain && end === 0) return plain;
    const keys = ["size", "compressedSize", "offset"] as const;
    const needed = keys.filter((key) => plain[key] === IN_ZIP64);
    if (isPlain) {
      for (const [index, key] of keys.entries()) {
        if (at + 8 * (index + 1) <= end && readU64(this.#view, at + 8 * index) !== plain[key]) {
          throw archiveFault("has an entry with two sizes");
        }
      }
      return plain;
    }
    if (end === 0 || at + 8 * needed.length > end) throw archiveFault("has an entry that lacks its Zip64 sizes");
    const result = { ...plain };
    for (const [index, key] of needed.entries()) result[key] = readU64(this.#view, at + 8 * index);
    return result;
  }

  /** Seconds since the epoch from the field that Unix tools write; undefined without one. */
  unixTime(): number | undefined {
    const { at, end } = this.#unixTime;
    if (end < at + 5 || end === 0 || (this.#view.getUint8(at) & 1) === 0) return undefined;
    return this.#view.getInt32(at + 1, true);
  }

  /** Data of the field with the name in Unicode. */
  unicodePath(): Uint8Array | undefined {
    const { at, end } = this.#unicodePath;
    return end === 0 ? undefined : this.#bytes.subarray(at, end);
  }

  #fieldOf(id: number): FieldPlace | undefined {
    if (id === EXTRA.zip64) return this.#zip64;
    if (id === EXTRA.unixTime) return this.#unixTime;
    return id === EXTRA.unicodePath ? this.#unicodePath : undefined;
  }
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The name of an entry. Tools on Unix write UTF-8 with and without saying so; what is not UTF-8 needs the field with
 * the name in Unicode beside it.
 * @throws SyncError `archive_invalid`
 */
export function entryName(
  raw: Uint8Array,
  unicodePath: Uint8Array | undefined,
  compression: Compression,
): { readonly name: string; readonly isUtf8: boolean } {
  const plain = decodedUtf8(raw);
  const isForThisName =
    unicodePath !== undefined &&
    unicodePath.byteLength >= 5 &&
    unicodePath[0] === 1 &&
    viewOf(unicodePath).getUint32(1, true) === compression.crc32(raw);
  const unicode = isForThisName ? decodedUtf8(unicodePath.subarray(5)) : undefined;
  if (plain !== undefined && unicode !== undefined && plain !== unicode)
    throw archiveFault("has an entry with two names");
  const name = plain ?? unicode;
  if (name === undefined) throw archiveFault("has a name that is not UTF-8");
  return { name, isUtf8: plain !== undefined };
}

/** The text that the bytes are, to the last one; undefined when they are not UTF-8. */
export function decodedUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}
