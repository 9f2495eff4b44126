import type { Clock } from "../../core/clock.ts";
import { SyncError, toSyncError } from "../../core/errors.ts";
import type { Files, Outbound } from "../../platform/contract.ts";
import { retryDelayMs } from "./backoff.ts";
import { deliver, type DeliveryOutcome, shownTarget } from "./deliver.ts";
import type { DeliveryQueue } from "./delivery-queue.ts";
import type { Attempt, DeadReason, Delivery } from "./delivery-rows.ts";
import type { Subscription } from "./subscription-file.ts";

/** Other processes of the workspace queue events too; this is how long one may wait to be seen. */
const POLL_MS = 1_000;
/** After trouble of our own (config, file or database), which is no fault of the target. */
const TROUBLE_REST_MS = 5_000;
/** Targets that are being sent to at the same time. */
const LANES_MAX = 16;
/** An event that has waited longer is given up, when its target fails once more. */
const KEEP_MS = 3 * 24 * 3_600_000;
/** Under the cache, which no manifest holds. */
const LOCK_FILE = "cache/cloud/locks/webhook-sender.lock";

export interface WebhookSettings {
  readonly allowPrivateTargets: boolean;
  readonly webhookAttemptsMax: number;
  readonly webhookTimeoutMs: number;
}

export interface WebhookLog {
  write(level: "info" | "warning" | "error", event: string, fields: Readonly<Record<string, unknown>>): void;
}

export interface DispatcherOptions {
  readonly files: Files;
  /** Native path of the workspace. */
  readonly root: string;
  readonly outbound: Outbound;
  readonly clock: Clock;
  /** In [0, 1); default Math.random. */
  readonly random?: () => number;
  /** Read anew for each attempt. @throws SyncError of a damaged config file */
  readonly settings: () => Promise<WebhookSettings>;
  /** undefined while there is none: nobody has subscribed yet. @throws SyncError */
  readonly queue: () => DeliveryQueue | undefined;
  /** @throws SyncError `webhooks_malformed` */
  readonly subscriptions: () => readonly Subscription[];
  readonly log: WebhookLog;
}

/**
 * Sends what is queued: one event at a time to each target, in order, several targets at once. One process of a workspace
 * does it at a time.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #lanes = new Map<string, Promise<void>>();
  /** Targets that rest because of our own trouble, until when. */
  readonly #troubled = new Map<string, number>();
  #lastTrouble = "";
  #wake = new AbortController();
  #stopped = new AbortController();
  #aborted = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /** Sends until `stop`. */
  start(): void {
    this.#running ??= this.#run().catch((error: unknown) => this.#tell(error));
  }

  /** Something new may be there. */
  wake(): void {
    this.#wake.abort();
  }

  /** Takes up nothing new, waits up to `graceMs` for what is being sent; the rest stays queued. */
  async stop(graceMs: number): Promise<void> {
    this.#stopped.abort();
    const timer = setTimeout(() => this.#aborted.abort(), graceMs);
    await this.#running;
    clearTimeout(timer);
  }

  /** Sends what is due, for at most `maxMs`, unless another process does it. */
  async drain(maxMs: number): Promise<void> {
    const timer = setTimeout(() => {
      this.#stopped.abort();
      this.#aborted.abort();
    }, maxMs);
    try {
      const lock = await this.#lock(0);
      if (lock === undefined) return;
      try {
        while (!this.#stopped.signal.aborted && (this.#sendDue() || this.#lanes.size > 0)) {
          await Promise.race(this.#lanes.values());
        }
        await Promise.all(this.#lanes.values());
      } finally {
        lock.release();
      }
    } finally {
      clearTimeout(timer);
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      if (!this.#hasQueue()) {
        await this.#pause(POLL_MS);
        continue;
      }
      const lock = await this.#lock(TROUBLE_REST_MS);
      if (lock === undefined) {
        await this.#pause(TROUBLE_REST_MS);
        continue;
      }
      try {
        while (!signal.aborted) {
          this.#sendDue();
          await this.#pause(this.#restMs());
        }
        await Promise.all(this.#lanes.values());
      } finally {
        lock.release();
      }
    }
  }

  /** Until somebody subscribes and an event comes, a workspace is left as it is. */
  #hasQueue(): boolean {
    try {
      return this.#options.queue() !== undefined;
    } catch (error) {
      this.#tell(error);
      return false;
    }
  }

  /** undefined when another process sends, or when stopping. */
  async #lock(timeoutMs: number): Promise<{ release(): void } | undefined> {
    const { files, root } = this.#options;
    try {
      return await files.lock(files.join(root, LOCK_FILE), { timeoutMs, signal: this.#stopped.signal });
    } catch (error) {
      const { code } = toSyncError(error);
      if (code !== "lock_busy" && code !== "aborted") this.#tell(error);
      return undefined;
    }
  }

  /** Starts a lane for each target that is due and has none; whether it started one. */
  #sendDue(): boolean {
    let started = false;
    try {
      const queue = this.#options.queue();
      if (queue === undefined) return false;
      const nowMs = this.#options.clock.now();
      for (const target of queue.dueTargets(nowMs)) {
        if (this.#lanes.size >= LANES_MAX) break;
        if (this.#lanes.has(target) || (this.#troubled.get(target) ?? 0) > nowMs) continue;
        started = true;
        const ended = () => {
          this.#lanes.delete(target);
          this.wake();
        };
        this.#lanes.set(target, this.#lane(queue, target).finally(ended));
      }
    } catch (error) {
      this.#tell(error);
    }
    return started;
  }

  async #lane(queue: DeliveryQueue, target: string): Promise<void> {
    try {
      while (!this.#stopped.signal.aborted && (await this.#sendHead(queue, target)));
      this.#troubled.delete(target);
    } catch (error) {
      this.#tell(error);
      this.#troubled.set(target, this.#options.clock.now() + TROUBLE_REST_MS);
    }
  }

  /** Whether the next one may follow at once. @throws SyncError for trouble of our own: nothing was sent, or it will be again */
  async #sendHead(queue: DeliveryQueue, target: string): Promise<boolean> {
    const { clock, outbound, settings, subscriptions, log } = this.#options;
    const head = queue.head(target);
    if (head === undefined) return false;
    const { allowPrivateTargets, webhookAttemptsMax, webhookTimeoutMs } = await settings();
    const subscription = subscriptions().find(
      ({ event, url }) => event === head.event && queue.targetOf(url) === target,
    );
    if (subscription === undefined) {
      queue.bury(head, "unsubscribed", clock.now());
      return true;
    }
    const startMs = clock.now();
    const outcome = await deliver(head, subscription, {
      outbound,
      allowPrivate: allowPrivateTargets,
      timeoutMs: webhookTimeoutMs,
      nowS: startMs / 1000,
      signal: this.#aborted.signal,
    });
    const fields = { hook: head.event, webhook_id: head.message, target: shownTarget(subscription.url) };
    if (outcome.kind === "aborted") return false;
    const attempt = attemptOf(outcome, startMs, clock.now());
    if (outcome.kind === "delivered") {
      queue.delivered(head, attempt);
      if (head.attempts > 0) log.write("info", "webhook.recovered", { ...fields, attempts: head.attempts + 1 });
      return true;
    }
    // No attempt makes an address better that is none.
    const attemptsMax = outcome.failure === "webhook_url" ? 1 : webhookAttemptsMax;
    const { delayMs, dead } = this.#fail(queue, head, subscription.url, attempt, outcome.retryAfterMs, attemptsMax);
    log.write("warning", dead === undefined ? "webhook.failed" : "webhook.dead", {
      ...fields,
      attempt: head.attempts + 1,
      failure: attempt.failure,
      ...(attempt.status === undefined ? {} : { status: attempt.status }),
      ...(dead === undefined ? {} : { reason: dead }),
      retry_in_s: Math.round(delayMs / 1000),
    });
    return false;
  }

  #fail(
    queue: DeliveryQueue,
    head: Delivery,
    url: string,
    attempt: Attempt,
    askedMs: number | undefined,
    attemptsMax: number,
  ): { readonly delayMs: number; readonly dead: DeadReason | undefined } {
    const delayMs = retryDelayMs(queue.stateOf(url).failures + 1, this.#options.random ?? Math.random, askedMs);
    const nowMs = attempt.atMs + attempt.durationMs;
    const dead = queue.failed(head, attempt, { nextMs: nowMs + delayMs, attemptsMax, expiredMs: nowMs - KEEP_MS });
    return { delayMs, dead };
  }

  /** Until the next target is due, but not longer than others' events may go unseen. */
  #restMs(): number {
    try {
      const dueMs = this.#options.queue()?.nextDueMs();
      // What is due already has a lane, waits for one, or rests; each end of a lane wakes us.
      const waitMs = dueMs === undefined ? POLL_MS : dueMs - this.#options.clock.now();
      return waitMs <= 0 ? POLL_MS : Math.min(POLL_MS, waitMs);
    } catch {
      return TROUBLE_REST_MS;
    }
  }

  async #pause(ms: number): Promise<void> {
    if (!this.#wake.signal.aborted) {
      const signal = AbortSignal.any([this.#wake.signal, this.#stopped.signal]);
      await this.#options.clock.sleep(ms, signal).catch(() => undefined);
    }
    if (this.#wake.signal.aborted) this.#wake = new AbortController();
  }

  /** Says the same trouble once, not every few seconds. */
  #tell(error: unknown): void {
    const { code, message } = toSyncError(error);
    const said =
      error instanceof SyncError ? message : `${code}: ${error instanceof Error ? error.message : "unknown"}`;
    if (said === this.#lastTrouble) return;
    this.#lastTrouble = said;
    this.#options.log.write("error", "webhook.trouble", { code, error: said });
  }
}

function attemptOf(outcome: Exclude<DeliveryOutcome, { kind: "aborted" }>, startMs: number, endMs: number): Attempt {
  return {
    atMs: startMs,
    durationMs: endMs - startMs,
    status: outcome.status,
    failure: outcome.kind === "delivered" ? undefined : outcome.failure,
  };
}
