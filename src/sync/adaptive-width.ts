import type { Clock } from "../core/clock.ts";

/** Bounds of a width, requests at once. */
export interface WidthBounds {
  readonly min: number;
  readonly start: number;
  readonly max: number;
}

/** Shorter windows measure noise. */
const WINDOW_MS_MIN = 400;
/** A step up must bring this much more to be kept; a step down may cost this much. */
const GAIN_MIN = 0.05;
const LOSS_MAX = 0.02;
const STEP = 1.25;
/** Windows between two trials, so that most of a run goes by at the width that was found. */
const HOLD_WINDOWS = 6;

type Phase = "hold" | "up" | "down";

/**
 * How many requests to have in flight, found by trying: the rate of finished requests is measured in windows; a wider
 * width stays when it brings more, a narrower one when it costs nothing. A far side that asks for less (throttling,
 * resets) halves it at once. By Little's law that is a rule on latency: where more requests only wait longer, the rate
 * does not grow.
 */
export class AdaptiveWidth {
  readonly #bounds: WidthBounds;
  readonly #clock: Clock;
  #width: number;
  /** The width to come back to, and its rate (requests a millisecond). */
  #base: { readonly width: number; readonly rate: number } | undefined;
  #phase: Phase = "hold";
  #nextTrial: "up" | "down" = "up";
  #holdWindows = 1;
  #windowStartMs: number;
  #finished = 0;

  constructor(bounds: WidthBounds, clock: Clock) {
    this.#bounds = bounds;
    this.#clock = clock;
    this.#width = bounds.start;
    this.#windowStartMs = clock.now();
  }

  get width(): number {
    return this.#width;
  }

  /** A request ended well. */
  finished(): void {
    this.#finished++;
    const elapsedMs = this.#clock.now() - this.#windowStartMs;
    if (elapsedMs < WINDOW_MS_MIN || this.#finished < 2 * this.#width) return;
    this.#judge(this.#finished / elapsedMs);
    this.#beginWindow();
  }

  /** The far side asked for less. Several complaints about one width count once. */
  strained(): void {
    if (this.#clock.now() - this.#windowStartMs < WINDOW_MS_MIN / 4 && this.#base === undefined) return;
    this.#width = Math.max(this.#bounds.min, Math.floor(this.#width / 2));
    this.#base = undefined;
    this.#hold("up");
    this.#beginWindow();
  }

  #judge(rate: number): void {
    const base = this.#base;
    if (base === undefined || this.#phase === "hold") {
      // Seconds ago counts less than now, but one window does not overturn all.
      const smoothed = base?.width === this.#width ? 0.5 * base.rate + 0.5 * rate : rate;
      this.#base = { width: this.#width, rate: smoothed };
      if (--this.#holdWindows <= 0) this.#try(this.#nextTrial);
      return;
    }
    const kept = this.#phase === "up" ? rate > base.rate * (1 + GAIN_MIN) : rate >= base.rate * (1 - LOSS_MAX);
    if (kept) {
      this.#base = { width: this.#width, rate };
      this.#try(this.#phase);
    } else {
      this.#width = base.width;
      this.#hold(this.#phase === "up" ? "down" : "up");
    }
  }

  #try(phase: "up" | "down"): void {
    const { min, max } = this.#bounds;
    const wanted = phase === "up" ? Math.ceil(this.#width * STEP) : Math.floor(this.#width / STEP);
    const next = Math.min(max, Math.max(min, wanted));
    if (next === this.#width) return this.#hold(phase === "up" ? "down" : "up");
    this.#phase = phase;
    this.#width = next;
  }

  #hold(nextTrial: "up" | "down"): void {
    this.#phase = "hold";
    this.#holdWindows = HOLD_WINDOWS;
    this.#nextTrial = nextTrial;
  }

  #beginWindow(): void {
    this.#windowStartMs = this.#clock.now();
    this.#finished = 0;
  }
}
