import type { BackupProgress } from "./backup-engine.ts";

const REPORT_EVERY_MS = 100;

/** Counts one phase, and tells a listener at most ten times a second. */
export class ProgressReport {
  #filesDone = 0;
  #bytesDone = 0;
  #nextReport = performance.now() + REPORT_EVERY_MS;

  constructor(
    private readonly phase: BackupProgress["phase"],
    private readonly totals: { readonly files: number; readonly bytes?: number },
    private readonly listener: ((progress: BackupProgress) => void) | undefined,
  ) {}

  fileDone(): void {
    this.#filesDone++;
    this.#reportWhenDue();
  }

  bytes(count: number): void {
    this.#bytesDone += count;
    this.#reportWhenDue();
  }

  end(): void {
    const { phase, totals } = this;
    this.listener?.({
      phase,
      filesDone: this.#filesDone,
      filesTotal: totals.files,
      bytesDone: this.#bytesDone,
      ...(totals.bytes === undefined ? {} : { bytesTotal: totals.bytes }),
    });
  }

  #reportWhenDue(): void {
    if (this.listener === undefined || performance.now() < this.#nextReport) return;
    this.#nextReport = performance.now() + REPORT_EVERY_MS;
    this.end();
  }
}
