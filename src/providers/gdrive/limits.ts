const KIB = 1024;
const MIB = 1024 * KIB;

/** Sizes, counts and times of one destination. Tests make them small. */
export interface DriveLimits {
  /** The largest request that carries metadata and content together; Google's own bound. */
  readonly multipartBytesMax: number;
  /** Of a resumable upload. A multiple of 262,144, or Drive refuses all chunks but the last. */
  readonly chunkBytesMin: number;
  /** Chunks grow with the file to this, so that the records of an upload stay few. */
  readonly chunkBytesMax: number;
  readonly chunksPreferredMax: number;
  /** Content held in memory by all uploads of one provider together. */
  readonly bytesInFlightMax: number;
  readonly objectBytesMax: number;
  /** Keys that one search asks for, and how long its text may become. */
  readonly lookupKeysMax: number;
  readonly lookupCharsMax: number;
  /** So many keys are searched for by name; when more are wanted the folder is listed. */
  readonly lookupsBeforeListing: number;
  readonly deleteBatchMax: number;
  readonly deletesAtOnce: number;
  /** Larger objects are not held in memory to be checked before the first byte is given out. */
  readonly checkedInMemoryBytesMax: number;
  /** A connection that is silent for so long, with nothing left to send, is given up. */
  readonly idleMs: number;
  /** What all uploads together are taken to reach at least; the time to answer grows by the bytes in flight over it. */
  readonly uploadBytesPerSecondMin: number;
  /** How long the sight of a folder is believed when a search in it comes back empty. */
  readonly folderSeenMs: number;
  /** A writer that has announced itself and not been heard of for so long has died. */
  readonly claimMs: number;
  /** How long a call that has failed waits for the removal of what it leaves. */
  readonly abortMs: number;
}

export const DRIVE_LIMITS: DriveLimits = {
  multipartBytesMax: 5_000_000,
  chunkBytesMin: 8 * MIB,
  chunkBytesMax: 64 * MIB,
  chunksPreferredMax: 10_000,
  bytesInFlightMax: 64 * MIB,
  objectBytesMax: 5 * 1024 * 1024 * MIB,
  lookupKeysMax: 16,
  lookupCharsMax: 4_000,
  lookupsBeforeListing: 48,
  deleteBatchMax: 100,
  deletesAtOnce: 16,
  checkedInMemoryBytesMax: 8 * MIB,
  idleMs: 60_000,
  uploadBytesPerSecondMin: 64 * KIB,
  folderSeenMs: 30_000,
  claimMs: 120_000,
  abortMs: 3_000,
};
