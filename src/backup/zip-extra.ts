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

export interface ExtraFields {
  readonly zip64: Uint8Array | undefined;
  readonly unixTime: Uint8Array | undefined;
  readonly unicodePath: Uint8Array | undefined;
}

/** @throws SyncError `archive_invalid` when they do not fill their room exactly, or one that counts is there twice */
export function readExtra(bytes: Uint8Array): ExtraFields {
  const view = viewOf(bytes);
  const found = new Map<number, Uint8Array>();
  let at = 0;
  while (at < bytes.byteLength) {
    if (at + 4 > bytes.byteLength) throw archiveFault("has an entry with broken extra fields");
    const id = view.getUint16(at, true);
    const end = at + 4 + view.getUint16(at + 2, true);
    if (end > bytes.byteLength) throw archiveFault("has an entry with broken extra fields");
    if (id === EXTRA.zip64 || id === EXTRA.unixTime || id === EXTRA.unicodePath) {
      if (found.has(id)) throw archiveFault("has an entry with one extra field twice");
      found.set(id, bytes.subarray(at + 4, end));
    }
    at = end;
  }
  return {
    zip64: found.get(EXTRA.zip64),
    unixTime: found.get(EXTRA.unixTime),
    unicodePath: found.get(EXTRA.unicodePath),
  };
}

/**
 * `plain` with what the Zip64 field holds. A field that repeats what was said already must say the same.
 * @throws SyncError `archive_invalid`
 */
export function withZip64(plain: EntryNumbers, zip64: Uint8Array | undefined): EntryNumbers {
  const keys = ["size", "compressedSize", "offset"] as const;
  const needed = keys.filter((key) => plain[key] === IN_ZIP64);
  if (zip64 === undefined) {
    if (needed.length > 0) throw archiveFault("has an entry that lacks its Zip64 sizes");
    return plain;
  }
  const view = viewOf(zip64);
  const result = { ...plain };
  if (needed.length === 0) {
    for (const [index, key] of keys.entries()) {
      if (zip64.byteLength >= 8 * (index + 1) && readU64(view, 8 * index) !== plain[key]) {
        throw archiveFault("has an entry with two sizes");
      }
    }
    return plain;
  }
  if (zip64.byteLength < 8 * needed.length) throw archiveFault("has an entry that lacks its Zip64 sizes");
  for (const [index, key] of needed.entries()) result[key] = readU64(view, 8 * index);
  return result;
}

/** Seconds since the epoch from the field that Unix tools write; undefined without one. */
export function unixTimeOf(field: Uint8Array | undefined): number | undefined {
  if (field === undefined || field.byteLength < 5 || ((field[0] ?? 0) & 1) === 0) return undefined;
  return viewOf(field).getInt32(1, true);
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
