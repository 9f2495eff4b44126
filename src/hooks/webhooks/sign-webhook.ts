import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { Webhook } from "standardwebhooks";
import { SyncError } from "../../core/errors.ts";

/** One message as it goes over the wire. */
export interface WebhookMessage {
  /** The same in every attempt: receivers know doubles by it. */
  readonly id: string;
  /** Seconds since the epoch, of this attempt: verifiers refuse what is five minutes old. */
  readonly timestampS: number;
  readonly body: string;
}

/** Marks a secret whose rest is base64 of the key (Standard Webhooks). */
const KEY_PREFIX = "whsec_";

/**
 * The headers that carry and sign `message`:
 * - `webhook-id`, `webhook-timestamp`, and `webhook-signature` as Standard Webhooks 1.0 asks;
 * - `X-Comfy-Signature`: hex HMAC-SHA256 of the body under the UTF-8 of the secret as it stands.
 *
 * A secret `whsec_<base64>` is that key for Standard Webhooks. Any other is text: its UTF-8 is the key; when the text
 * reads as base64 as well, a second signature under what it stands for follows, because verifiers may read it so. Without
 * a secret nothing is signed.
 * @throws SyncError `webhook_secret` for a `whsec_` that is not followed by base64
 */
export function signWebhook(message: WebhookMessage, secret: string | undefined): Readonly<Record<string, string>> {
  const { id, timestampS, body } = message;
  const headers = { "webhook-id": id, "webhook-timestamp": String(Math.floor(timestampS)) };
  if (secret === undefined || secret === "") return headers;
  const time = new Date(Math.floor(timestampS) * 1000);
  const signatures = standardKeys(secret).map((key) => key.sign(id, time, body));
  return {
    ...headers,
    "webhook-signature": [...new Set(signatures)].join(" "),
    "X-Comfy-Signature": bytesToHex(hmac(sha256, utf8ToBytes(secret), utf8ToBytes(body))),
  };
}

/** @throws SyncError `webhook_secret` as signWebhook would */
export function checkWebhookSecret(secret: string): void {
  if (secret !== "") standardKeys(secret);
}

function standardKeys(secret: string): Webhook[] {
  const decoded = base64Key(secret);
  if (!secret.startsWith(KEY_PREFIX)) {
    const text = new Webhook(utf8ToBytes(secret), { format: "raw" });
    return decoded === undefined ? [text] : [text, decoded];
  }
  if (decoded !== undefined) return [decoded];
  throw new SyncError(
    "webhook_secret",
    "a secret that begins with whsec_ goes on with base64 of the key, padded with =",
  );
}

function base64Key(secret: string): Webhook | undefined {
  try {
    return new Webhook(secret);
  } catch {
    return undefined;
  }
}
