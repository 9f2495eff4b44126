/** Time that passes steadily, and waking up later; tests decide what it is. */
export interface Timers {
  /** Milliseconds since some moment; never goes back. */
  nowMs(): number;
  /** Returns how to call it off. */
  after(ms: number, run: () => void): () => void;
}

export const systemTimers: Timers = {
  nowMs: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
