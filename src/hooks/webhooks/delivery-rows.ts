/** What the delivery queue holds, and how it is read from rows of SQLite. */

/** An event on its way, as the bus published it. */
export interface QueuedEvent {
  /** The webhook-id. */
  readonly message: string;
  readonly event: string;
  /** The envelope as JSON: what is signed and sent, byte by byte. */
  readonly body: string;
  readonly queuedMs: number;
}

/** An event on its way to one target. */
export interface Delivery extends QueuedEvent {
  readonly id: number;
  readonly target: string;
  /** Made so far; all of them failed. */
  readonly attempts: number;
}

export type DeadReason = "attempts" | "expired" | "queue_full" | "unsubscribed";

export interface DeadLetter extends Delivery {
  readonly deadMs: number;
  readonly reason: DeadReason;
}

export interface Attempt {
  readonly atMs: number;
  readonly durationMs: number;
  /** HTTP status; undefined when no answer came. */
  readonly status: number | undefined;
  /** Why it failed; undefined when it did not. */
  readonly failure: string | undefined;
}

export interface LoggedAttempt extends Attempt {
  readonly delivery: number;
  readonly message: string;
  readonly event: string;
  readonly target: string;
}

/** How a target has fared. */
export interface TargetState {
  readonly pending: number;
  /** In a row. */
  readonly failures: number;
  /** Not before; 0 = at once. */
  readonly nextMs: number;
}

export function queuedEvent(row: Readonly<Record<string, unknown>>): QueuedEvent {
  return {
    message: text(row["message"]),
    event: text(row["event"]),
    body: text(row["body"]),
    queuedMs: number(row["queued_ms"]),
  };
}

export function delivery(row: Readonly<Record<string, unknown>>): Delivery {
  return {
    ...queuedEvent(row),
    id: number(row["seq"]),
    target: text(row["target"]),
    attempts: number(row["attempts"]),
  };
}

/** A text column. */
export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** A column of numbers; 0 for NULL. */
export function number(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
