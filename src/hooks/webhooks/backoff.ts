const BASE_MS = 1_000;
const CAP_MS = 4 * 3_600_000;
/** Below this a retry meets the very trouble that it is a retry of. */
const FLOOR_MS = 200;

/**
 * How long a target rests after its `failures`-th failure in a row: anything up to 1 s, 2 s, 4 s … 4 h (full jitter, so
 * that many senders do not come back together). Sixteen attempts spread over about four and a half hours, nine at most.
 * @param random in [0, 1)
 * @param askedMs what the receiver asked for (Retry-After); it may lengthen the rest, up to the cap
 */
export function retryDelayMs(failures: number, random: () => number, askedMs = 0): number {
  const ceilingMs = Math.min(CAP_MS, BASE_MS * 2 ** Math.max(0, failures - 1));
  return Math.round(Math.max(FLOOR_MS, random() * ceilingMs, Math.min(askedMs, CAP_MS)));
}
