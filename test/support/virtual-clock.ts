import type { Clock } from "../../src/core/clock.ts";
import { throwIfAborted } from "../../src/core/errors.ts";

/** Time that passes only by being slept: when every task waits, it jumps to the earliest wake. Starts at 0. */
export class VirtualClock implements Clock {
  #nowMs = 0;
  #sleepers: { readonly wakeMs: number; readonly wake: () => void }[] = [];
  #jumping = false;
  /** Every sleep that was asked for, milliseconds. */
  readonly slept: number[] = [];

  now(): number {
    return this.#nowMs;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    this.slept.push(ms);
    await new Promise<void>((wake) => {
      this.#sleepers.push({ wakeMs: this.#nowMs + ms, wake });
      signal?.addEventListener("abort", () => wake(), { once: true });
      this.#jumpWhenIdle();
    });
    throwIfAborted(signal);
  }

  /** The event loop turns once before each jump, so that whoever can run has run. */
  #jumpWhenIdle(): void {
    if (this.#jumping) return;
    this.#jumping = true;
    setImmediate(() => {
      this.#jumping = false;
      this.#sleepers.sort((a, b) => a.wakeMs - b.wakeMs);
      const next = this.#sleepers.shift();
      if (next === undefined) return;
      this.#nowMs = Math.max(this.#nowMs, next.wakeMs);
      next.wake();
      if (this.#sleepers.length > 0) this.#jumpWhenIdle();
    });
  }
}

/** Numbers in [0, 1) that look random and are the same for the same `seed`. */
export function seededRandom(seed: number): () => number {
  let state = (Math.imul(seed + 1, 0x9e3779b1) ^ 0x85ebca6b) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}
