import { type Clock, systemClock } from "../../core/clock.ts";
import { SyncError } from "../../core/errors.ts";

/** Scans, runs, backups and restores at once. Each holds files, threads and memory; more would only slow each other. */
const SLOTS = 16;
/** Most operations take a moment: a burst of them is served in turn. Each that waits holds a body of 1 MiB at most. */
const WAITING_MAX = 112;
const WAIT_MS_MAX = 5_000;
const RETRY_AFTER_MS = 5_000;

/** Bounds how much heavy work the server does at once. */
export class WorkSlots {
  readonly #clock: Clock;
  #free = SLOTS;
  /** Who waits, the longest first: called when a slot is handed over. */
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /** @throws SyncError `server_busy` when all are taken and none becomes free soon, and of `work` */
  readonly during = async <T>(work: () => Promise<T>): Promise<T> => {
    if (this.#free > 0) this.#free--;
    else await this.#turn();
    try {
      return await work();
    } finally {
      this.#release();
    }
  };

  async #turn(): Promise<void> {
    if (this.#waiting.size >= WAITING_MAX) throw busy();
    const patience = new AbortController();
    await new Promise<void>((resolve, reject) => {
      const take = () => {
        patience.abort();
        resolve();
      };
      this.#waiting.add(take);
      const giveUp = () => {
        if (this.#waiting.delete(take)) reject(busy());
      };
      // Ends early, as aborted, when the slot comes.
      this.#clock.sleep(WAIT_MS_MAX, patience.signal).then(giveUp, () => undefined);
    });
  }

  #release(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free++;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}

function busy(): SyncError {
  return new SyncError("server_busy", `${SLOTS} operations are under way; try again when one has ended`, {
    retryable: true,
    retryAfterMs: RETRY_AFTER_MS,
  });
}
