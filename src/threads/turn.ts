import { throwIfAborted } from "../core/errors.ts";

/** Longest stretch of work without giving others a turn, milliseconds. */
const SLICE_MS = 10;

/**
 * setTimeout waits at least a millisecond, a tenth of every slice; setImmediate, where the runtime has it, only lets
 * what is ready go first. A MessageChannel would be as fast but starves sockets and timers.
 */
const { setImmediate: immediate } = globalThis as { readonly setImmediate?: (run: () => void) => unknown };

/**
 * Long work in slices, so that a server goes on answering: ask `due` often, and `await pause()` when it says so.
 * ```ts
 * if (turn.due()) await turn.pause();
 * ```
 */
export class Turn {
  readonly #signal: AbortSignal | undefined;
  readonly #sliceMs: number;
  #sliceEnd: number;

  /** @param sliceMs less than usual where somebody waits for an answer all the time */
  constructor(signal?: AbortSignal, sliceMs = SLICE_MS) {
    throwIfAborted(signal);
    this.#signal = signal;
    this.#sliceMs = sliceMs;
    this.#sliceEnd = performance.now() + sliceMs;
  }

  due(): boolean {
    return performance.now() >= this.#sliceEnd;
  }

  /** Everything else that waits goes first. @throws SyncError `aborted` */
  async pause(): Promise<void> {
    await new Promise<void>((resolve) => {
      if (immediate === undefined) setTimeout(resolve, 0);
      else immediate(resolve);
    });
    throwIfAborted(this.#signal);
    this.#sliceEnd = performance.now() + this.#sliceMs;
  }
}
