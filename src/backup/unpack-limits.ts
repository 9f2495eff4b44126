import { archiveFault } from "./archive-fault.ts";

/** What Deflate can make of one byte at most: an entry that claims more lies. */
const DEFLATE_RATIO_MAX = 1_032;
/** Archives that this product makes unfold by 200 at most (deflate-pieces.ts). */
const RATIO_MAX = 250;
/** Below these sizes, in bytes, a high ratio does no harm. */
const ENTRY_BYTES_HARMLESS = 10_000_000;
const TOTAL_BYTES_HARMLESS = 100_000_000;

export interface PackedSizes {
  readonly size: number;
  readonly compressedSize: number;
}

/** @throws SyncError `archive_invalid` for an entry that claims to unfold beyond reason */
export function checkEntryRatio({ size, compressedSize }: PackedSizes, name: string): void {
  if (size > compressedSize * DEFLATE_RATIO_MAX)
    throw archiveFault("has an entry that claims more than Deflate can do", name);
  if (size > ENTRY_BYTES_HARMLESS && size > compressedSize * RATIO_MAX) {
    throw archiveFault(`has an entry that unfolds to more than ${RATIO_MAX} times its size`, name);
  }
}

/** @throws SyncError `archive_invalid` for an archive that claims to unfold beyond reason */
export function checkTotalRatio(totalBytes: number, archiveBytes: number): void {
  if (totalBytes > TOTAL_BYTES_HARMLESS && totalBytes > archiveBytes * RATIO_MAX) {
    throw archiveFault(`unfolds to more than ${RATIO_MAX} times its size`);
  }
}
