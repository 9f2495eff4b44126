import type { Clock } from "./clock.ts";

/** Shapes what is sent to a rate. */
export interface Pacer {
  readonly bytesPerSecond: number;
  /** Resolves when `bytes` more may go out. @throws SyncError `aborted` */
  take(bytes: number, signal?: AbortSignal): Promise<void>;
}

/** How much may go out at once after a pause, seconds of the rate: what a busy machine's late timers cost is made up for. */
const BURST_S = 0.25;

/**
 * A shaper for everything that one run sends: what is asked for goes out in the order asked, at `bytesPerSecond` on
 * average over any time of a few seconds.
 */
export function createPacer(bytesPerSecond: number, clock: Clock): Pacer {
  let freeAtMs = clock.now();
  return {
    bytesPerSecond,
    take: async (bytes, signal) => {
      const now = clock.now();
      freeAtMs = Math.max(freeAtMs, now - BURST_S * 1000) + (bytes / bytesPerSecond) * 1000;
      if (freeAtMs > now) await clock.sleep(freeAtMs - now, signal);
    },
  };
}
