import type { Clock } from "../core/clock.ts";
import { SyncError } from "../core/errors.ts";

/** When a run stops believing that the far side will come back. */
export interface CircuitPolicy {
  /**
   * Operations in a row that give up without any other having succeeded while they tried, before the rest fails fast.
   */
  readonly gaveUpInARowMax: number;
  /**
   * Operations that may give up beyond those that `successRefund` makes good, for a far side that fails most of the
   * time.
   */
  readonly gaveUpBudget: number;
  /** What each success gives back of that budget. */
  readonly successRefund: number;
  /** How long the rest fails fast before one operation is let through to look again, milliseconds. */
  readonly trialEveryMs: number;
}

/**
 * Shared by the operations of one run. A dead server would cost each of 3,000 files its whole patience; after a few
 * have spent theirs in vain the circuit opens, and the others fail at once with `provider_unreachable`. From time to
 * time one is let through, with a single attempt; its success closes the circuit.
 */
export class Circuit {
  readonly #policy: CircuitPolicy;
  readonly #clock: Clock;
  readonly #service: string;
  #inARow = 0;
  #budget: number;
  #openedAtMs: number | undefined;
  #trialRuns = false;
  #answers = 0;
  #last: SyncError | undefined;

  constructor(policy: CircuitPolicy, clock: Clock, service: string) {
    this.#policy = policy;
    this.#clock = clock;
    this.#service = service;
    this.#budget = policy.gaveUpBudget;
  }

  get isOpen(): boolean {
    return this.#openedAtMs !== undefined;
  }

  /** An operation begins. True when it is the one that looks again. @throws `provider_unreachable` when open */
  enter(): boolean {
    if (this.#openedAtMs === undefined) return false;
    if (!this.#trialRuns && this.#clock.now() - this.#openedAtMs >= this.#policy.trialEveryMs) {
      this.#trialRuns = true;
      return true;
    }
    throw this.#refusal();
  }

  /** How many answers there were: one that differs from an earlier one says that the far side lived in between. */
  get answers(): number {
    return this.#answers;
  }

  /** The far side answered; whether it liked the request does not matter. */
  answered(): void {
    this.#answers++;
    this.#inARow = 0;
    this.#budget = Math.min(this.#policy.gaveUpBudget, this.#budget + this.#policy.successRefund);
    this.#openedAtMs = undefined;
  }

  /**
   * An operation spent its attempts in vain; `error` is the last. Where others were answered since `answersBefore`, its
   * first failure, the trouble is its own: it costs budget, but is no sign that the far side is dead.
   */
  gaveUp(error: SyncError, answersBefore: number): void {
    this.#last = error;
    if (answersBefore === this.#answers) this.#inARow++;
    this.#budget -= 1;
    if (this.#inARow >= this.#policy.gaveUpInARowMax || this.#budget <= 0 || this.isOpen)
      this.#openedAtMs = this.#clock.now();
  }

  /** The operation that looked again has ended, somehow. */
  trialEnded(): void {
    this.#trialRuns = false;
  }

  #refusal(): SyncError {
    const last = this.#last;
    const reason = last === undefined ? "" : ` The last answer was: ${last.message}`;
    return new SyncError(
      "provider_unreachable",
      `${this.#service} has failed too many operations in a row; the rest of this run is not tried. ` +
        `Check the network and the destination, then run again.${reason}`,
      {
        retryable: true,
        details: { circuit: "open", ...(last === undefined ? {} : { last: last.code }) },
        cause: last,
      },
    );
  }
}
