/**
 * A kind of work that other threads do: its name, and the types of what is told. All plain data, which is copied.
 * Terms are what the jobs of one request have in common.
 */
export interface Work<Terms, Job, Answer> {
  readonly name: string;
  /** Never set: it carries the types. */
  readonly types?: { readonly terms: Terms; readonly job: Job; readonly answer: Answer };
}

/** To a thread. */
export type ThreadRequest =
  | { readonly id: number; readonly work: string; readonly terms: unknown; readonly jobs: readonly unknown[] }
  | { readonly id: number; readonly cancel: true };

/** From a thread: any number of `bytes`, then one of the others. */
export type ThreadReply =
  | { readonly id: number; readonly bytes: number }
  | { readonly id: number; readonly answers: readonly unknown[] }
  | { readonly id: number; readonly fault: "aborted" }
  | { readonly id: number; readonly fault: "internal"; readonly cause: FaultCause };

/** The error that ended a request: for the log, not for the user. */
export interface FaultCause {
  readonly message: string;
  readonly stack: string | undefined;
}
