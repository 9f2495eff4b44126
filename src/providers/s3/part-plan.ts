import type { S3Limits } from "./limits.ts";

export interface PlannedPart {
  /** From 1. */
  readonly number: number;
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
}

const MIB = 1024 * 1024;

/**
 * The size of the parts of an object of `bytes`: small ones first, larger ones so that stores with a limit of 1,000
 * parts take the object, and then as large as 10,000 parts need. Whole MiB, so that a plan can be made again.
 */
export function partBytesFor(bytes: number, limits: S3Limits): number {
  const preferred = Math.min(Math.ceil(bytes / limits.partsPreferredMax), limits.partBytesPreferredMax);
  const needed = Math.max(preferred, Math.ceil(bytes / limits.partsMax));
  return needed <= limits.partBytesMin ? limits.partBytesMin : Math.ceil(needed / MIB) * MIB;
}

/** The parts of `bytes` in order, all of `partBytes` but the last. */
export function* planParts(bytes: number, partBytes: number): Generator<PlannedPart, void, undefined> {
  for (let number = 1, offset = 0; offset < bytes; number++, offset += partBytes) {
    yield { number, offset, size: Math.min(partBytes, bytes - offset) };
  }
}
