export interface ScanProgress {
  /** Files hashed or skipped. */
  readonly filesDone: number;
  /** Files found so far. */
  readonly filesTotal: number;
  /** Bytes read. */
  readonly bytesDone: number;
}

const REPORT_EVERY_MS = 200;

/** Counts, and tells a listener at most five times a second, and once at the end. */
export class ProgressMeter {
  #filesDone = 0;
  #filesTotal = 0;
  #bytesDone = 0;
  #nextReport = performance.now() + REPORT_EVERY_MS;

  constructor(private readonly listener: ((progress: ScanProgress) => void) | undefined) {}

  found(count: number): void {
    this.#filesTotal += count;
    this.#reportWhenDue();
  }

  filesDone(count: number): void {
    this.#filesDone += count;
    this.#reportWhenDue();
  }

  bytesRead(count: number): void {
    this.#bytesDone += count;
    this.#reportWhenDue();
  }

  end(): void {
    this.listener?.({ filesDone: this.#filesDone, filesTotal: this.#filesTotal, bytesDone: this.#bytesDone });
  }

  #reportWhenDue(): void {
    if (this.listener === undefined || performance.now() < this.#nextReport) return;
    this.#nextReport = performance.now() + REPORT_EVERY_MS;
    this.end();
  }
}
