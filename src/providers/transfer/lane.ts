/**
 * Runs a few tasks at a time, each started as it is added. When one fails no other is started, and those under way are
 * ended as well unless `sparesOthers` says of the error that they shall come to their own end.
 */
export class Lane<T> {
  readonly #atOnce: number;
  readonly #sparesOthers: (error: unknown) => boolean;
  readonly #failure = new AbortController();
  readonly #tasks: Promise<T>[] = [];
  readonly #running = new Set<Promise<unknown>>();
  #firstError: unknown;
  #failed = false;
  /** Fires when the outer signal does or the tasks shall end because one has failed. */
  readonly signal: AbortSignal;

  constructor(atOnce: number, outer: AbortSignal | undefined, sparesOthers: (error: unknown) => boolean = () => false) {
    this.#atOnce = atOnce;
    this.#sparesOthers = sparesOthers;
    this.signal = outer === undefined ? this.#failure.signal : AbortSignal.any([outer, this.#failure.signal]);
  }

  /** Starts `task`; resolves when there is room for another. @throws what the first failed task threw */
  async add(task: () => Promise<T>): Promise<void> {
    const running = task();
    this.#tasks.push(running);
    const watched: Promise<void> = running.then(
      () => this.#done(watched),
      (error: unknown) => {
        this.#done(watched);
        this.#note(error);
      },
    );
    this.#running.add(watched);
    if (this.#running.size >= this.#atOnce) await Promise.race(this.#running);
    if (this.#failed) throw this.#firstError;
  }

  /** For a task that has waited before it does anything. @throws what the first failed task threw */
  check(): void {
    if (this.#failed) throw this.#firstError;
  }

  /** What the tasks gave, in the order they were added. @throws what the first failed task threw, when all have ended */
  async results(): Promise<T[]> {
    await Promise.all(this.#running);
    if (this.#failed) throw this.#firstError;
    return await Promise.all(this.#tasks);
  }

  /** Takes `error` from outside of the tasks as one of theirs. Resolves to the error that came first, when all have ended. */
  async fail(error: unknown): Promise<unknown> {
    this.#note(error);
    await Promise.all(this.#running);
    return this.#firstError;
  }

  #done(watched: Promise<unknown>): void {
    this.#running.delete(watched);
  }

  #note(error: unknown): void {
    if (!this.#failed) this.#firstError = error;
    this.#failed = true;
    if (!this.#sparesOthers(error)) this.#failure.abort();
  }
}
