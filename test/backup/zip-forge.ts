import { crc32, deflateRawSync } from "node:zlib";

/** An entry of an archive that is made to be wrong somewhere. What is not given is as it should be. */
export interface ForgedEntry {
  readonly name: string | Uint8Array;
  readonly data?: string | Uint8Array;
  readonly method?: number;
  readonly flags?: number;
  readonly crc?: number;
  readonly size?: number;
  readonly compressedSize?: number;
  /** The compressed bytes. */
  readonly packed?: Uint8Array;
  readonly offset?: number;
  readonly madeBy?: number;
  readonly attributes?: number;
  readonly extra?: Uint8Array;
  readonly localExtra?: Uint8Array;
  readonly disk?: number;
  /** Laid over the local header alone. */
  readonly local?: {
    readonly name?: string;
    readonly crc?: number;
    readonly size?: number;
    readonly compressedSize?: number;
    readonly method?: number;
    readonly flags?: number;
    readonly signature?: number;
  };
  /** Between the data and the next entry. */
  readonly after?: Uint8Array;
  /** Only in the directory: its data are those of another entry. */
  readonly isGhost?: boolean;
}

export interface ForgedEnd {
  readonly entries?: number;
  readonly entriesHere?: number;
  readonly disk?: number;
  readonly directoryLength?: number;
  readonly directoryOffset?: number;
  readonly comment?: Uint8Array;
  readonly before?: Uint8Array;
  readonly after?: Uint8Array;
  /** Between the directory and the end. */
  readonly zip64?: (directory: { offset: number; length: number; entries: number }) => Uint8Array;
}

const encoder = new TextEncoder();
export const UNIX = 3 << 8;

export function little(...fields: readonly (readonly [bytes: 2 | 4 | 8, value: number])[]): Uint8Array {
  const out = Buffer.alloc(fields.reduce((sum, [bytes]) => sum + bytes, 0));
  let at = 0;
  for (const [bytes, value] of fields) {
    if (bytes === 2) out.writeUInt16LE(value, at);
    else if (bytes === 4) out.writeUInt32LE(value >>> 0, at);
    else out.writeBigUInt64LE(BigInt(value), at);
    at += bytes;
  }
  return out;
}

const bytesOf = (content: string | Uint8Array) => (typeof content === "string" ? encoder.encode(content) : content);

export function forgeZip(entries: readonly ForgedEntry[], end: ForgedEnd = {}): Uint8Array {
  const parts: Uint8Array[] = [end.before ?? new Uint8Array()];
  const directory: Uint8Array[] = [];
  let at = parts[0]?.byteLength ?? 0;
  const put = (...bytes: Uint8Array[]) => {
    for (const one of bytes) {
      parts.push(one);
      at += one.byteLength;
    }
  };
  for (const entry of entries) {
    const data = bytesOf(entry.data ?? "");
    const method = entry.method ?? 0;
    const packed = entry.packed ?? (method === 8 ? deflateRawSync(data) : data);
    const told = {
      method,
      name: bytesOf(entry.name),
      flags: entry.flags ?? 1 << 11,
      crc: entry.crc ?? crc32(data),
      size: entry.size ?? data.byteLength,
      compressedSize: entry.compressedSize ?? packed.byteLength,
    };
    const local = { ...told, ...entry.local };
    const localName = bytesOf(local.name);
    const localExtra = entry.localExtra ?? new Uint8Array();
    const extra = entry.extra ?? new Uint8Array();
    const offset = entry.offset ?? at;
    if (entry.isGhost !== true) {
      put(
        little([4, local.signature ?? 0x04034b50], [2, 20], [2, local.flags], [2, local.method], [4, 0x5a21_0000]),
        little([4, local.crc], [4, local.compressedSize], [4, local.size]),
        little([2, localName.byteLength], [2, localExtra.byteLength]),
        localName,
        localExtra,
        packed,
        entry.after ?? new Uint8Array(),
      );
    }
    directory.push(
      little(
        [4, 0x02014b50],
        [2, (entry.madeBy ?? UNIX) | 20],
        [2, 20],
        [2, told.flags],
        [2, method],
        [4, 0x5a21_0000],
      ),
      little([4, told.crc], [4, told.compressedSize], [4, told.size]),
      little([2, told.name.byteLength], [2, extra.byteLength], [2, 0], [2, entry.disk ?? 0], [2, 0]),
      little([4, entry.attributes ?? 0o100644 * 65536], [4, offset]),
      told.name,
      extra,
    );
  }
  const offset = at;
  put(...directory);
  const length = at - offset;
  put(end.zip64?.({ offset, length, entries: entries.length }) ?? new Uint8Array());
  const comment = end.comment ?? new Uint8Array();
  put(
    little([4, 0x06054b50], [2, end.disk ?? 0], [2, 0]),
    little([2, end.entriesHere ?? end.entries ?? entries.length], [2, end.entries ?? entries.length]),
    little([4, end.directoryLength ?? length], [4, end.directoryOffset ?? offset], [2, comment.byteLength]),
    comment,
    end.after ?? new Uint8Array(),
  );
  return Buffer.concat(parts);
}
