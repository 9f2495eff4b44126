import { orAborted } from "../transfer/or-aborted.ts";
import type { DriveFiles } from "./drive-files.ts";

const COUNT_MAX = 1_000;

/** Reserved ids: few at first, more each time, as nobody says how many files a run has. */
export class IdPool {
  readonly #files: DriveFiles;
  readonly #ids: string[] = [];
  #count = 16;
  #filling: Promise<void> | undefined;

  constructor(files: DriveFiles) {
    this.#files = files;
  }

  /** An id that nobody else has. @throws SyncError what Drive throws */
  async take(signal: AbortSignal | undefined): Promise<string> {
    for (;;) {
      const id = this.#ids.pop();
      if (id !== undefined) return id;
      this.#filling ??= this.#fill().finally(() => {
        this.#filling = undefined;
      });
      await orAborted(this.#filling, signal);
    }
  }

  async #fill(): Promise<void> {
    this.#ids.push(...(await this.#files.generateIds(this.#count, undefined)));
    this.#count = Math.min(COUNT_MAX, this.#count * 8);
  }
}
