import type { Clock } from "../core/clock.ts";
import { type ErrorCode, SyncError, throwIfAborted, toSyncError } from "../core/errors.ts";
import type { Circuit } from "./circuit.ts";
import { mayRetry } from "./retry-table.ts";

/** How patient one operation is. */
export interface PatiencePolicy {
  readonly attemptsMax: number;
  /** The first wait is a random time up to this, milliseconds; each further one up to twice the one before. */
  readonly backoffBaseMs: number;
  /** No single wait is longer, milliseconds. */
  readonly backoffCapMs: number;
  /**
   * All waits of one operation together, milliseconds; the last one is cut so that the time is used to its end. Time
   * that the far side asked for (Retry-After) is not counted.
   */
  readonly waitTotalMsMax: number;
  /** A far side that asks for more than this, milliseconds, is not waited for. */
  readonly retryAfterMsMax: number;
  /** A far side that lets so many attempts run out of time, which took so long together, milliseconds, is given up. */
  readonly silentAttemptsMax: number;
  readonly silentTotalMsMax: number;
}

export interface AttemptTools {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly onRetry: ((error: SyncError) => void) | undefined;
}

/** Answers of a far side that lives, though they are errors. */
const ANSWERS: ReadonlySet<ErrorCode> = new Set([
  "precondition_failed",
  "object_missing",
  "provider_denied",
  "provider_container_missing",
]);

/** The attempts of one operation: `failed` waits for the next one or throws. */
export class Attempts {
  readonly #policy: PatiencePolicy;
  readonly #circuit: Circuit;
  readonly #tools: AttemptTools;
  readonly #signal: AbortSignal | undefined;
  readonly #isTrial: boolean;
  #made = 0;
  #waitedMs = 0;
  #attemptFromMs: number;
  #silentAttempts = 0;
  #silentMs = 0;
  #answersBefore = 0;

  /** @throws `aborted`; `provider_unreachable` when the circuit is open */
  constructor(policy: PatiencePolicy, circuit: Circuit, tools: AttemptTools, signal: AbortSignal | undefined) {
    throwIfAborted(signal);
    this.#policy = policy;
    this.#circuit = circuit;
    this.#tools = tools;
    this.#signal = signal;
    this.#isTrial = circuit.enter();
    this.#attemptFromMs = tools.clock.now();
  }

  /** Calls until one attempt succeeds. @throws what `failed` throws */
  async run<T>(call: () => Promise<T>): Promise<T> {
    try {
      for (;;) {
        try {
          const value = await call();
          this.#circuit.answered();
          return value;
        } catch (thrown) {
          await this.failed(thrown);
        }
      }
    } finally {
      this.end();
    }
  }

  /**
   * Returns when the next attempt is due. @throws `aborted`; the error itself when it is final; the error with the
   * count of attempts in its message when patience is spent
   */
  async failed(thrown: unknown): Promise<void> {
    throwIfAborted(this.#signal);
    const error = toSyncError(thrown);
    if (this.#made++ === 0) this.#answersBefore = this.#circuit.answers;
    if (!mayRetry(error)) {
      if (ANSWERS.has(error.code)) this.#circuit.answered();
      throw error;
    }
    this.#noteSilence(error);
    const waitMs = this.#isTrial || this.#circuit.isOpen ? undefined : this.#nextWaitMs(error);
    if (waitMs === undefined) throw this.#giveUp(error);
    this.#tools.onRetry?.(error);
    await this.#tools.clock.sleep(waitMs, this.#signal);
    this.#attemptFromMs = this.#tools.clock.now();
    if (this.#circuit.isOpen) throw this.#giveUp(error);
  }

  /** The last attempt got further than all before it, so that patience starts anew with the next failure. */
  renew(): void {
    this.#made = 0;
    this.#waitedMs = 0;
    this.#silentAttempts = 0;
    this.#silentMs = 0;
  }

  succeeded(): void {
    this.#circuit.answered();
  }

  /** Must be called once, however the operation ended; `run` does. */
  end(): void {
    if (this.#isTrial) this.#circuit.trialEnded();
  }

  #noteSilence(error: SyncError): void {
    if (error.code !== "provider_timeout") return;
    this.#silentAttempts++;
    this.#silentMs += this.#tools.clock.now() - this.#attemptFromMs;
  }

  #isSilent(): boolean {
    const { silentAttemptsMax, silentTotalMsMax } = this.#policy;
    return this.#silentAttempts >= silentAttemptsMax && this.#silentMs >= silentTotalMsMax;
  }

  #nextWaitMs(error: SyncError): number | undefined {
    if (this.#isSilent()) return undefined;
    const { attemptsMax, backoffBaseMs, backoffCapMs, waitTotalMsMax, retryAfterMsMax } = this.#policy;
    const askedMs = error.retryAfterMs ?? 0;
    if (this.#made >= attemptsMax || this.#waitedMs >= waitTotalMsMax || askedMs > retryAfterMsMax) return undefined;
    const ceilingMs = Math.min(backoffCapMs, backoffBaseMs * 2 ** (this.#made - 1));
    const waitMs = Math.min(this.#tools.random() * ceilingMs, waitTotalMsMax - this.#waitedMs);
    this.#waitedMs += waitMs;
    return Math.max(waitMs, askedMs);
  }

  #giveUp(error: SyncError): SyncError {
    this.#circuit.gaveUp(error, this.#answersBefore);
    const { retryable, retryAfterMs, details } = error;
    const waited = `attempts: ${this.#made}, waited ${(this.#waitedMs / 1000).toFixed(1)} s`;
    return new SyncError(error.code, `${error.message} (${waited})`, {
      retryable,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      details: { ...details, attempts: this.#made },
      cause: error,
    });
  }
}
