import type { Clock } from "../../core/clock.ts";

/** Failures that are answered at once, e.g. a script with an old token that asks for all there is. */
const BURST = 100;
/** One more is forgiven so often. */
const FORGIVEN_EVERY_MS = 6_000;

/** Counts failed attempts and says when there were too many. A bucket: what leaks out is forgiven. */
export class Attempts {
  readonly #clock: Clock;
  #failures = 0;
  #countedAtMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#countedAtMs = clock.now();
  }

  /** Counts a failure. Milliseconds until the next one is answered as such again; 0: this one still is. */
  fail(): number {
    const now = this.#clock.now();
    // A clock set back forgives nothing, and must not keep anybody waiting for its old time.
    const elapsedMs = Math.max(0, now - this.#countedAtMs);
    this.#failures = Math.max(0, this.#failures - elapsedMs / FORGIVEN_EVERY_MS);
    this.#countedAtMs = now;
    if (this.#failures + 1 > BURST) return Math.ceil((this.#failures + 1 - BURST) * FORGIVEN_EVERY_MS);
    this.#failures++;
    return 0;
  }
}
