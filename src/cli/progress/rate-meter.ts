/** How far back a rate looks: long enough to be calm, short enough to follow a line that slows down. */
const WINDOW_MS = 5_000;

/** Before this much time has passed a rate is a guess. */
const SETTLED_MS = 500;

interface Sample {
  readonly atMs: number;
  readonly done: number;
}

/** How fast something goes, over the last seconds. */
export class RateMeter {
  readonly #samples: Sample[] = [];

  /** `done` in all at `atMs`, in any unit. Less than before starts anew: a failed attempt's bytes go out again. */
  add(atMs: number, done: number): void {
    if (done < (this.#samples.at(-1)?.done ?? 0)) this.#samples.length = 0;
    this.#samples.push({ atMs, done });
    while (this.#samples.length > 2 && (this.#samples[1]?.atMs ?? atMs) <= atMs - WINDOW_MS) this.#samples.shift();
  }

  /** Units a second; undefined before it can be told. */
  get perSecond(): number | undefined {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.atMs - first.atMs < SETTLED_MS) return undefined;
    return ((last.done - first.done) * 1000) / (last.atMs - first.atMs);
  }
}
