/** The machine's time and what tests added to it: tokens, sessions and the search index go by it. */
export class FakeClock {
  #aheadMs = 0;

  now(): number {
    return Date.now() + this.#aheadMs;
  }

  advance(ms: number): void {
    this.#aheadMs += ms;
  }
}
