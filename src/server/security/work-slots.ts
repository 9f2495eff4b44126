import { SyncError } from "../../core/errors.ts";

/** Scans, runs, backups and restores at once. Each holds files, threads and memory; more would only slow each other. */
const SLOTS = 16;
const RETRY_AFTER_MS = 5_000;

/** Bounds how much heavy work the server does at once. */
export class WorkSlots {
  #free = SLOTS;

  /** @throws SyncError `server_busy` when all are taken, and of `work` */
  readonly during = async <T>(work: () => Promise<T>): Promise<T> => {
    if (this.#free === 0) {
      throw new SyncError("server_busy", `${SLOTS} operations are under way; try again when one has ended`, {
        retryable: true,
        retryAfterMs: RETRY_AFTER_MS,
      });
    }
    this.#free--;
    try {
      return await work();
    } finally {
      this.#free++;
    }
  };
}
