import { type Clock, systemClock } from "../../src/core/clock.ts";

/** As long as a run ever waits for a store to come to rest; a lease is renewed after longer. */
const SETTLE_MS_MAX = 10_000;

/** The system's clock, put on by `aheadMs`, of one who need not wait for a store to come to rest. */
export function settledClock(aheadMs = 0): Clock {
  return {
    now: () => systemClock.now() + aheadMs,
    sleep: async (ms, signal) => {
      if (ms > SETTLE_MS_MAX) await systemClock.sleep(ms, signal);
    },
  };
}
