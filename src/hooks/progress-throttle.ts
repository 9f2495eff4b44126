import type { Hook } from "./hook-of-event.ts";
import type { Timers } from "./timers.ts";

/** Four, and one when a run ends, make five a second. */
const PAUSE_MS = 250;

/**
 * Lets progress through at most five times a second however often it is told, and always the last one of a run before
 * the run's end. All other hooks pass at once.
 */
export class ProgressThrottle {
  /** The newest of each run that has not been let through, by service and snapshot. */
  readonly #held = new Map<string, Hook>();
  #restUntilMs = Number.NEGATIVE_INFINITY;
  #callOff: (() => void) | undefined;

  constructor(
    private readonly publish: (hook: Hook) => void,
    private readonly timers: Timers,
  ) {}

  offer(hook: Hook): void {
    if (hook.name === "on_cloud_sync_progress") {
      this.#held.set(runOf(hook.data), hook);
      this.#releaseWhenDue();
      return;
    }
    if (hook.name === "on_cloud_sync_complete") this.#release(runOf(hook.data));
    this.publish(hook);
  }

  /** Lets go of what is held, e.g. at the end of the process. */
  close(): void {
    this.#callOff?.();
    for (const run of [...this.#held.keys()]) this.#release(run);
  }

  #releaseWhenDue(): void {
    const waitMs = this.#restUntilMs - this.timers.nowMs();
    const [first] = this.#held.keys();
    if (first === undefined || (waitMs > 0 && this.#callOff !== undefined)) return;
    if (waitMs > 0) {
      this.#callOff = this.timers.after(waitMs, () => {
        this.#callOff = undefined;
        this.#releaseWhenDue();
      });
      return;
    }
    this.#restUntilMs = this.timers.nowMs() + PAUSE_MS;
    this.#release(first);
    this.#releaseWhenDue();
  }

  #release(run: string): void {
    const hook = this.#held.get(run);
    this.#held.delete(run);
    if (hook !== undefined) this.publish(hook);
  }
}

function runOf({ service, snapshot }: { readonly service: string; readonly snapshot: string }): string {
  return `${service}/${snapshot}`;
}
