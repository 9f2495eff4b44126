import type { Compression } from "../platform/contract.ts";

/** As `zip` and 7-Zip's ZIP choose when nobody asks. */
const LEVEL = 6;
const LEVEL_SAMPLE = 1;
/** How far back Deflate looks. */
const WINDOW_BYTES = 32_768;
/** Pieces up to this size are compressed in the calling thread. */
export const NOW_BYTES_MAX = 16_384;
/** Smaller pieces are compressed to find out whether they can be. */
const SAMPLED_BYTES_MIN = 16_384;
const SAMPLE_BYTES = 4_096;
const SAMPLES = 4;
/** A sample that keeps more than this share of its size is taken for data that were compressed before. */
const INCOMPRESSIBLE_SHARE = 0.97;
const STORED_BLOCK_BYTES_MAX = 0xffff;
/** A block of nothing, as a flush leaves it; with the first byte 1 it ends the stream. */
const EMPTY_BLOCK = [0x00, 0x00, 0x00, 0xff, 0xff] as const;

/**
 * No piece over CAPPED_BYTES_MIN is made smaller than this: it is filled up with empty blocks. Restore refuses archives
 * that unfold by more than RATIO_MAX (unpack-limits.ts), as hostile ones do, and must never refuse one of ours.
 */
const RATIO_MADE_MAX = 200;
const CAPPED_BYTES_MIN = 16_384;

/** False for data that were compressed or encrypted before: judged by samples from all over `bytes`, not by a name. */
export function isCompressible(compression: Compression, bytes: Uint8Array): boolean {
  if (bytes.byteLength <= SAMPLED_BYTES_MIN) return true;
  const sample = new Uint8Array(SAMPLES * SAMPLE_BYTES);
  const step = Math.floor((bytes.byteLength - SAMPLE_BYTES) / (SAMPLES - 1));
  for (let i = 0; i < SAMPLES; i++) sample.set(bytes.subarray(i * step, i * step + SAMPLE_BYTES), i * SAMPLE_BYTES);
  const packed = compression.deflateNow(sample, { level: LEVEL_SAMPLE, more: false });
  return packed.byteLength < sample.byteLength * INCOMPRESSIBLE_SHARE;
}

/** All of a file of at most NOW_BYTES_MAX as a stream. */
export function deflateSmall(compression: Compression, bytes: Uint8Array): Uint8Array {
  return compression.deflateNow(bytes, { level: LEVEL, more: false });
}

/** One piece of a Deflate stream. Pieces are compressed at the same time and stand one after the other in the archive. */
export function deflatePiece(
  compression: Compression,
  bytes: Uint8Array,
  piece: { readonly dictionary?: Uint8Array | undefined; readonly more: boolean },
): Uint8Array | Promise<Uint8Array> {
  const options = { level: LEVEL, ...piece };
  if (bytes.byteLength <= NOW_BYTES_MAX) return compression.deflateNow(bytes, options);
  if (!isCompressible(compression, bytes)) return storedBlocks(bytes, piece.more);
  return inPool(compression, bytes, options);
}

async function inPool(
  compression: Compression,
  bytes: Uint8Array,
  options: { readonly level: number; readonly dictionary?: Uint8Array | undefined; readonly more: boolean },
): Promise<Uint8Array> {
  const packed = await compression.deflate(bytes, options);
  if (bytes.byteLength <= CAPPED_BYTES_MIN || packed.byteLength * RATIO_MADE_MAX >= bytes.byteLength) return packed;
  const open = options.more ? packed : await compression.deflate(bytes, { ...options, more: true });
  return filledUp(open, Math.ceil(bytes.byteLength / RATIO_MADE_MAX), options.more);
}

/** What the next piece needs of this one. A copy: the piece's memory is used again. */
export function dictionaryFrom(bytes: Uint8Array): Uint8Array {
  return bytes.slice(-WINDOW_BYTES);
}

/** `bytes` as a piece of a Deflate stream without compressing them. */
function storedBlocks(bytes: Uint8Array, more: boolean): Uint8Array {
  const blocks = Math.ceil(bytes.byteLength / STORED_BLOCK_BYTES_MAX);
  const result = new Uint8Array(bytes.byteLength + blocks * 5);
  let to = 0;
  for (let from = 0; from < bytes.byteLength; from += STORED_BLOCK_BYTES_MAX) {
    const block = bytes.subarray(from, from + STORED_BLOCK_BYTES_MAX);
    const length = block.byteLength;
    const isLast = !more && from + length === bytes.byteLength;
    result.set([isLast ? 1 : 0, length & 0xff, length >> 8, ~length & 0xff, (~length >> 8) & 0xff], to);
    result.set(block, to + 5);
    to += length + 5;
  }
  return result;
}

/** `packed`, which stops at a whole byte, with empty blocks behind it up to `length` at least. */
function filledUp(packed: Uint8Array, length: number, more: boolean): Uint8Array {
  const blocks = Math.max(1, Math.ceil((length - packed.byteLength) / EMPTY_BLOCK.length));
  const result = new Uint8Array(packed.byteLength + blocks * EMPTY_BLOCK.length);
  result.set(packed);
  for (let i = 0; i < blocks; i++) result.set(EMPTY_BLOCK, packed.byteLength + i * EMPTY_BLOCK.length);
  if (!more) result[result.byteLength - EMPTY_BLOCK.length] = 1;
  return result;
}
