import { throwIfAborted } from "./errors.ts";

/** Time as the rooms see it, so that tests decide what it is. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after `ms`; throws `aborted` as soon as `signal` fires. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    throwIfAborted(signal);
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener("abort", done, { once: true });
    });
    throwIfAborted(signal);
  },
};

/** `ms` since the epoch as Python's `datetime.now(timezone.utc).isoformat()` writes it: `2025-11-18T04:05:06.789000+00:00`. */
export function isoUtc(ms: number): string {
  return new Date(ms).toISOString().replace("Z", "000+00:00");
}
