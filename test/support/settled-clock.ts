import { type Clock, systemClock } from "../../src/core/clock.ts";

/** About as long as a run waits for a store to come to rest; a lease is renewed after longer, and its last words take less. */
const SETTLE_MS = { min: 5_000, max: 10_000 };

/** The system's clock, put on by `aheadMs`, of one who need not wait for a store to come to rest. */
export function settledClock(aheadMs = 0): Clock {
  return {
    now: () => systemClock.now() + aheadMs,
    sleep: async (ms, signal) => {
      if (ms < SETTLE_MS.min || ms > SETTLE_MS.max) await systemClock.sleep(ms, signal);
    },
  };
}
