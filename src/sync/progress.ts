import type { Clock } from "../core/clock.ts";
import type { EventSink, SyncProgress } from "../core/events.ts";

const EVENTS_PER_SECOND_MAX = 5;

/** Counts what a run has done and tells it as `sync.progress`, at most five times a second and once at each phase's start. */
export class ProgressCounter {
  #phase: SyncProgress["phase"] = "upload";
  #filesDone = 0;
  #bytesDone = 0;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly events: EventSink,
    private readonly clock: Clock,
    private readonly totals: Pick<SyncProgress, "service" | "snapshot" | "filesTotal" | "bytesTotal">,
  ) {}

  phase(phase: SyncProgress["phase"]): void {
    this.#phase = phase;
    this.#tell();
  }

  fileDone(): void {
    this.#filesDone++;
    this.#tellIfDue();
  }

  /** Negative when a failed attempt's bytes go out again. */
  bytes(count: number): void {
    this.#bytesDone += count;
    this.#tellIfDue();
  }

  #tellIfDue(): void {
    if (this.clock.now() - this.#toldAtMs >= 1000 / EVENTS_PER_SECOND_MAX) this.#tell();
  }

  #tell(): void {
    this.#toldAtMs = this.clock.now();
    this.events.emit({
      type: "sync.progress",
      dryRun: false,
      ...this.totals,
      phase: this.#phase,
      filesDone: this.#filesDone,
      bytesDone: this.#bytesDone,
    });
  }
}
