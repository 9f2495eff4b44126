import { throwIfAborted } from "../../core/errors.ts";

/** Bounds the bytes that are held at once. Who comes first is served first, so a large claim is never passed by for ever. */
export class ByteBudget {
  readonly #bytesMax: number;
  #held = 0;
  readonly #waiting: { readonly bytes: number; readonly admit: () => void }[] = [];

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /**
   * Resolves when `bytes` may be held, to the function that gives them back. A claim larger than the whole budget
   * waits until it is alone.
   * @throws SyncError `aborted`
   */
  async claim(bytes: number, signal?: AbortSignal): Promise<() => void> {
    throwIfAborted(signal);
    const claimed = Math.min(bytes, this.#bytesMax);
    if (this.#waiting.length > 0 || this.#held + claimed > this.#bytesMax) await this.#wait(claimed, signal);
    else this.#held += claimed;
    let held = true;
    return () => {
      if (held) this.#release(claimed);
      held = false;
    };
  }

  async #wait(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    const admitted = await new Promise<boolean>((resolve) => {
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(turn), 1);
        resolve(false);
        this.#admit();
      };
      const admit = (): void => {
        signal?.removeEventListener("abort", onAbort);
        resolve(true);
      };
      const turn = { bytes, admit };
      this.#waiting.push(turn);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
    if (!admitted) throwIfAborted(signal);
  }

  #release(bytes: number): void {
    this.#held -= bytes;
    this.#admit();
  }

  #admit(): void {
    for (;;) {
      const next = this.#waiting[0];
      if (next === undefined || this.#held + next.bytes > this.#bytesMax) return;
      this.#waiting.shift();
      this.#held += next.bytes;
      next.admit();
    }
  }
}
