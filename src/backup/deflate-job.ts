import type { Compression } from "../platform/contract.ts";
import type { Work } from "../threads/work.ts";
import { deflateSmall } from "./deflate-pieces.ts";

/** Compressing small files, many at a time: one alone is not worth the way to another thread. */
export const DEFLATE_WORK: Work<undefined, SmallFiles, PackedFiles> = { name: "deflate" };

/** Contents one after another. */
export interface SmallFiles {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Bytes of each. */
  readonly lengths: Uint32Array<ArrayBuffer>;
}

/** The same as a Deflate stream each. */
export interface PackedFiles {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Bytes of each; 0 for a file that Deflate does not make smaller. */
  readonly lengths: Uint32Array<ArrayBuffer>;
}

export function deflateMany(compression: Compression, { bytes, lengths }: SmallFiles): PackedFiles {
  const packed = new Uint8Array(bytes.byteLength);
  const packedLengths = new Uint32Array(lengths.length);
  let from = 0;
  let to = 0;
  for (const [index, length] of lengths.entries()) {
    const one = deflateSmall(compression, bytes.subarray(from, from + length));
    from += length;
    if (one.byteLength >= length) continue;
    packed.set(one, to);
    packedLengths[index] = one.byteLength;
    to += one.byteLength;
  }
  return { bytes: packed.slice(0, to), lengths: packedLengths };
}
