import { SyncError } from "../../core/errors.ts";
import type { Outbound, PostOutcome } from "../../platform/contract.ts";
import { allowedAddresses, hostOf, parseWebhookUrl } from "./address-policy.ts";
import type { Delivery } from "./delivery-rows.ts";
import { signWebhook } from "./sign-webhook.ts";
import type { Subscription } from "./subscription-file.ts";

const ANSWER_BYTES_MAX = 65_536;
const LOOKUP_MS_MAX = 5_000;
/** Of a name with many addresses, so many are tried when the connection itself fails. */
const ADDRESSES_TRIED_MAX = 4;

export interface DeliverOptions {
  readonly outbound: Outbound;
  readonly allowPrivate: boolean;
  readonly timeoutMs: number;
  /** Seconds since the epoch. */
  readonly nowS: number;
  readonly signal: AbortSignal;
}

/** What came of one attempt. The words of `failure` are the product's own: nothing of the answer or the address. */
export type DeliveryOutcome =
  | { readonly kind: "delivered"; readonly status: number }
  | {
      readonly kind: "failed";
      readonly failure: string;
      readonly status?: number;
      /** The receiver asked for so much rest. */
      readonly retryAfterMs?: number;
    }
  /** The sender is stopping: no attempt at all. */
  | { readonly kind: "aborted" };

/** Sends one event to one subscriber, once. Any answer in the 200s is a success, a redirect is not followed. Never throws. */
export async function deliver(
  { body, message }: Pick<Delivery, "body" | "message">,
  { url: address, secret }: Subscription,
  options: DeliverOptions,
): Promise<DeliveryOutcome> {
  try {
    const url = parseWebhookUrl(address);
    const resolve = (host: string) => addressesSoon(options.outbound, host, options.signal);
    const addresses = await allowedAddresses(url, { allowPrivate: options.allowPrivate, resolve });
    if (options.signal.aborted) return { kind: "aborted" };
    if (addresses.length === 0) return { kind: "failed", failure: "unresolved" };
    const headers = {
      "content-type": "application/json",
      "user-agent": "comfyvn-cloud-sync",
      ...signWebhook({ id: message, timestampS: options.nowS, body }, secret),
    };
    return outcomeOf(await postTo(addresses, url, headers, body, options), options.nowS);
  } catch (error) {
    return { kind: "failed", failure: error instanceof SyncError ? error.code : "internal" };
  }
}

/** Where an event went, for the log: the rest of an address may be a secret of its own. */
export function shownTarget(address: string): string {
  const url = URL.parse(address);
  return url === null ? "(not an address)" : `${url.protocol}//${hostOf(url)}`;
}

async function postTo(
  addresses: readonly string[],
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: string,
  { outbound, timeoutMs, signal }: DeliverOptions,
): Promise<PostOutcome> {
  const bytes = new TextEncoder().encode(body);
  let outcome: PostOutcome = { failure: "unreachable" };
  for (const address of addresses.slice(0, ADDRESSES_TRIED_MAX)) {
    const answerBytesMax = ANSWER_BYTES_MAX;
    outcome = await outbound.post({ url, address, headers, body: bytes, timeoutMs, answerBytesMax, signal });
    // Only a connection that was never made has surely not delivered anything.
    if (!("failure" in outcome) || outcome.failure !== "unreachable") break;
  }
  return outcome;
}

function outcomeOf(outcome: PostOutcome, nowS: number): DeliveryOutcome {
  if ("failure" in outcome) {
    return outcome.failure === "aborted" ? { kind: "aborted" } : { kind: "failed", failure: outcome.failure };
  }
  const { status, retryAfter } = outcome;
  if (status >= 200 && status < 300) return { kind: "delivered", status };
  const failure = status >= 300 && status < 400 ? "redirect" : "status";
  const retryAfterMs = retryAfterOf(retryAfter, nowS);
  return { kind: "failed", status, failure, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** RFC 9110 10.2.3: seconds or a date. */
function retryAfterOf(value: string | undefined, nowS: number): number | undefined {
  if (value === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowS * 1000;
  return Number.isFinite(ms) && ms > 0 ? ms : undefined;
}

/** Every address of `host`. A lookup cannot be called off; nobody waits for one that hangs, it counts as none. */
export async function addressesSoon(
  outbound: Outbound,
  host: string,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  let giveUp: () => void = () => undefined;
  const none = new Promise<readonly string[]>((resolve) => {
    giveUp = () => resolve([]);
  });
  const timer = setTimeout(giveUp, LOOKUP_MS_MAX);
  signal?.addEventListener("abort", giveUp, { once: true });
  try {
    return await Promise.race([outbound.addressesOf(host), none]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", giveUp);
  }
}
