const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const TIB = 1024 * GIB;

/** Sizes and times of one destination. Tests make them small. */
export interface S3Limits {
  /** The largest object that is sent in one request. With a precondition see `conditionalPutBytesMax`. */
  readonly singlePutBytesMax: number;
  /** Preconditions travel on the single request only: stores that honour them there ignore them on multipart (RGW does). */
  readonly conditionalPutBytesMax: number;
  /** Part sizes double from the first to the second as the object grows, to stay within `partsPreferredMax`. */
  readonly partBytesMin: number;
  readonly partBytesPreferredMax: number;
  /** Some stores take no more parts than this. */
  readonly partsPreferredMax: number;
  /** No store takes more parts than this. */
  readonly partsMax: number;
  /** Parts of one object under way, from their first byte to their answer. */
  readonly partsAtOnce: number;
  /**
   * Of these, how many have bytes still to go out, where that can be told. One after the other fills a line as well as
   * all at once, since the next begins before the last is answered; and when the run is killed only so many are lost.
   */
  readonly partsSentAtOnce: number;
  /** Content held in memory by all uploads of one provider together. */
  readonly bytesInFlightMax: number;
  /** The largest object that is copied in one request, and the parts of larger ones. */
  readonly copyBytesMax: number;
  readonly copyPartBytes: number;
  readonly deleteBatchMax: number;
  /** Requests of many keys at once, which some stores work through one key after the other. */
  readonly deleteBatchesAtOnce: number;
  /** Deletes of single keys at once. */
  readonly deletesAtOnce: number;
  readonly objectBytesMax: number;
  /** A connection that is silent for so long, with nothing left to send, is given up. */
  readonly idleMs: number;
  /** The same where the store works before it answers: completing an upload, copying. */
  readonly workMs: number;
  /** What all uploads together are taken to reach at least; the time to answer grows by the bytes in flight over it. */
  readonly uploadBytesPerSecondMin: number;
  /** How long a failed upload waits for its own removal. */
  readonly abortMs: number;
}

export const S3_LIMITS: S3Limits = {
  singlePutBytesMax: 16 * MIB,
  conditionalPutBytesMax: GIB,
  partBytesMin: 8 * MIB,
  partBytesPreferredMax: 64 * MIB,
  partsPreferredMax: 1_000,
  partsMax: 10_000,
  partsAtOnce: 4,
  partsSentAtOnce: 1,
  bytesInFlightMax: 64 * MIB,
  copyBytesMax: 5 * GIB,
  copyPartBytes: GIB,
  deleteBatchMax: 1_000,
  deleteBatchesAtOnce: 4,
  deletesAtOnce: 8,
  objectBytesMax: 5 * TIB,
  idleMs: 60_000,
  workMs: 280_000,
  uploadBytesPerSecondMin: 64 * KIB,
  abortMs: 10_000,
};
