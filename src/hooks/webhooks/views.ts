import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { HOOK_NAMES } from "../catalogue.ts";
import type { DeliveryQueue } from "./delivery-queue.ts";
import type { DeadLetter, Delivery, LoggedAttempt } from "./delivery-rows.ts";
import type { Subscription } from "./subscription-file.ts";

/** A subscription as it is listed. Never its secret. */
export interface WebhookView {
  /** Names it in requests; made of what is shown here, so that nothing hidden can be guessed from it. */
  readonly id: string;
  readonly event: string;
  readonly url: string;
  /** It has a secret. */
  readonly signed: boolean;
  /** False for events of the studio's own, which this server does not send. */
  readonly known: boolean;
  /** Events that wait for its address. */
  readonly pending: number;
  /** Of its address, in a row. */
  readonly failures: number;
  readonly next_attempt_at: string | null;
}

export interface DeliveryView {
  readonly id: number;
  /** As in the header of that name. */
  readonly webhook_id: string;
  readonly event: string;
  /** null when nobody subscribes there any more. */
  readonly url: string | null;
  readonly queued_at: string;
  readonly attempts: number;
}

export interface DeadLetterView extends DeliveryView {
  readonly dead_at: string;
  /** attempts, expired, queue_full or unsubscribed. */
  readonly reason: string;
}

export interface AttemptView {
  readonly at: string;
  readonly delivery: number;
  readonly webhook_id: string;
  readonly event: string;
  readonly url: string | null;
  readonly ok: boolean;
  readonly status: number | null;
  readonly failure: string | null;
  readonly duration_ms: number;
}

/** In the order of the file. */
export function webhookViews(
  subscriptions: readonly Subscription[],
  queue: DeliveryQueue | undefined,
  redact: (text: string) => string,
): WebhookView[] {
  const seen = new Map<string, number>();
  return subscriptions.map(({ event, url, secret }) => {
    const shown = redact(url);
    const name = `${event}\n${shown}`;
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    const state = queue?.stateOf(url) ?? { pending: 0, failures: 0, nextMs: 0 };
    return {
      id: bytesToHex(sha256(utf8ToBytes(count === 1 ? name : `${name}\n${count}`))).slice(0, 16),
      event: redact(event),
      url: shown,
      signed: secret !== undefined,
      known: HOOK_NAMES.some((known) => known === event),
      pending: state.pending,
      failures: state.failures,
      next_attempt_at: state.pending > 0 && state.nextMs > 0 ? iso(state.nextMs) : null,
    };
  });
}

export function deliveryView(item: Delivery, urls: ReadonlyMap<string, string>): DeliveryView {
  const { id, message, event, target, queuedMs, attempts } = item;
  return { id, webhook_id: message, event, url: urls.get(target) ?? null, queued_at: iso(queuedMs), attempts };
}

export function deadLetterView(item: DeadLetter, urls: ReadonlyMap<string, string>): DeadLetterView {
  return { ...deliveryView(item, urls), dead_at: iso(item.deadMs), reason: item.reason };
}

export function attemptView(item: LoggedAttempt, urls: ReadonlyMap<string, string>): AttemptView {
  const { atMs, delivery, message, event, target, status = null, failure = null, durationMs } = item;
  const url = urls.get(target) ?? null;
  const ok = failure === null;
  return { at: iso(atMs), delivery, webhook_id: message, event, url, ok, status, failure, duration_ms: durationMs };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
