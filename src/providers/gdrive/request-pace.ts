import { type Clock, systemClock } from "../../core/clock.ts";

const GAP_MS_MIN = 50;
const GAP_MS_MAX = 2_000;
/** Each answered request lets the gap shrink so far: about fifty bring a full one back to nothing. */
const RECOVERY = 0.93;

/**
 * The rate of requests of one provider: as fast as they come until Drive complains; then one at a time with a gap between
 * them that doubles with each complaint and shrinks with each success. Drive counts requests a minute and a user, so
 * waiting each for itself would only make the next complaints.
 */
export class RequestPace {
  readonly #clock: Clock;
  #gapMs = 0;
  #freeAtMs = 0;
  #complainedAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /** Milliseconds between two requests now. */
  get gapMs(): number {
    return this.#gapMs;
  }

  /** Resolves when the next request may go out. @throws SyncError `aborted` */
  async turn(signal: AbortSignal | undefined): Promise<void> {
    const now = this.#clock.now();
    if (this.#gapMs === 0 && this.#freeAtMs <= now) return;
    const dueMs = Math.max(now, this.#freeAtMs);
    this.#freeAtMs = dueMs + this.#gapMs;
    if (dueMs > now) await this.#clock.sleep(dueMs - now, signal);
  }

  answered(): void {
    this.#gapMs = this.#gapMs < GAP_MS_MIN / 4 ? 0 : this.#gapMs * RECOVERY;
  }

  /** Drive has asked for less. Complaints about requests that were under way together count once. */
  complained(): void {
    const now = this.#clock.now();
    if (now - this.#complainedAtMs < this.#gapMs) return;
    this.#complainedAtMs = now;
    this.#gapMs = Math.min(GAP_MS_MAX, Math.max(GAP_MS_MIN, this.#gapMs * 2));
    this.#freeAtMs = Math.max(this.#freeAtMs, now + this.#gapMs);
  }
}
