import { orAborted } from "../transfer/or-aborted.ts";

/** One writer a key at a time, in the order they came. */
export class KeyLocks {
  readonly #last = new Map<string, Promise<unknown>>();

  /** @throws SyncError `aborted` while it waits; what `work` throws */
  async holding<T>(key: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    const done = Promise.withResolvers<void>();
    const mine = before === undefined ? done.promise : before.then(() => done.promise);
    this.#last.set(key, mine);
    try {
      if (before !== undefined) await orAborted(before, signal);
      return await work();
    } finally {
      done.resolve();
      if (this.#last.get(key) === mine) this.#last.delete(key);
    }
  }
}
