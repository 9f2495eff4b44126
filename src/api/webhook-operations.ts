import type { ErrorCode } from "../core/errors.ts";
import { operation } from "./operation.ts";
import {
  RedeliveredWebhooksSchema,
  RegisteredWebhookSchema,
  RemovedWebhookSchema,
  WebhookAttemptsSchema,
  WebhookDeadLettersSchema,
  WebhookListSchema,
  WebhookPendingSchema,
} from "./webhook-answer.ts";
import {
  RedeliverWebhooksRequestSchema,
  RegisterWebhookRequestSchema,
  RemoveWebhookRequestSchema,
  WebhookListQuerySchema,
} from "./webhook-request.ts";

const PATH = "/api/modder/hooks/webhooks";
const QUEUE_ERRORS: readonly ErrorCode[] = ["webhooks_malformed", "file_unreadable", "lock_busy"];
const FILE_ERRORS: readonly ErrorCode[] = [...QUEUE_ERRORS, "disk_full", "write_failed"];

const EVENT = "on_cloud_sync_complete";
const URL = "https://ci.example.com/hooks/comfyvn";
const WEBHOOK = {
  ...{ id: "5b1f0c2d9e8a7b6c", event: EVENT, url: URL, signed: true, known: true },
  ...{ pending: 0, failures: 0, next_attempt_at: null },
};
const DELIVERY = { id: 42, webhook_id: "mws2snzi-7", event: EVENT, url: URL, queued_at: "2025-12-15T08:05:30.120Z" };

export const listWebhooks = operation({
  id: "listWebhooks",
  method: "GET",
  path: PATH,
  tag: "hooks",
  summary: "Who gets which event, and how it fares; never a secret",
  answer: WebhookListSchema,
  errors: QUEUE_ERRORS,
  examples: { answer: { ok: true, webhooks: [WEBHOOK] } },
});

export const registerWebhook = operation({
  id: "registerWebhook",
  method: "POST",
  path: PATH,
  tag: "hooks",
  summary: "Has an event POSTed to an address from now on",
  description:
    "Kept in `data/webhooks.json`, which the studio reads too. Of an event and address that are registered already, the secret is replaced.",
  body: RegisterWebhookRequestSchema,
  answer: RegisteredWebhookSchema,
  errors: ["webhook_url", "webhook_refused", "webhook_secret", "config_malformed", "config_invalid", ...FILE_ERRORS],
  examples: {
    body: { event: EVENT, url: URL, secret: "a long random text of your own" },
    answer: { ok: true, webhook: WEBHOOK },
  },
});

export const removeWebhook = operation({
  id: "removeWebhook",
  method: "DELETE",
  path: PATH,
  tag: "hooks",
  summary: "Ends a subscription and drops what waits for it",
  body: RemoveWebhookRequestSchema,
  answer: RemovedWebhookSchema,
  errors: FILE_ERRORS,
  examples: { body: { event: EVENT, url: URL }, answer: { ok: true, removed: 1 } },
});

export const listWebhookPending = operation({
  id: "listWebhookPending",
  method: "GET",
  path: `${PATH}/pending`,
  tag: "hooks",
  summary: "Events that wait to be sent",
  query: WebhookListQuerySchema,
  answer: WebhookPendingSchema,
  errors: ["schema", ...QUEUE_ERRORS],
  examples: { query: { limit: "20" }, answer: { ok: true, items: [{ ...DELIVERY, attempts: 3 }] } },
});

export const listWebhookDeadLetters = operation({
  id: "listWebhookDeadLetters",
  method: "GET",
  path: `${PATH}/dead`,
  tag: "hooks",
  summary: "Events that were given up",
  query: WebhookListQuerySchema,
  answer: WebhookDeadLettersSchema,
  errors: ["schema", ...QUEUE_ERRORS],
  examples: {
    query: { limit: "20" },
    answer: {
      ok: true,
      items: [{ ...DELIVERY, attempts: 16, dead_at: "2025-12-15T13:11:02.500Z", reason: "attempts" }],
    },
  },
});

export const listWebhookAttempts = operation({
  id: "listWebhookAttempts",
  method: "GET",
  path: `${PATH}/attempts`,
  tag: "hooks",
  summary: "What was sent, and what came of it",
  query: WebhookListQuerySchema,
  answer: WebhookAttemptsSchema,
  errors: ["schema", ...QUEUE_ERRORS],
  examples: {
    query: { limit: "20" },
    answer: {
      ok: true,
      items: [
        {
          ...{ at: "2025-12-15T08:05:30.125Z", delivery: 42, webhook_id: "mws2snzi-7", event: EVENT, url: URL },
          ...{ ok: false, status: 503, failure: "status", duration_ms: 31 },
        },
      ],
    },
  },
});

export const redeliverWebhooks = operation({
  id: "redeliverWebhooks",
  method: "POST",
  path: `${PATH}/redeliver`,
  tag: "hooks",
  summary: "Queues dead letters again, behind what waits and in their old order",
  body: RedeliverWebhooksRequestSchema,
  answer: RedeliveredWebhooksSchema,
  errors: ["webhook_missing", ...QUEUE_ERRORS],
  examples: { body: { ids: [42] }, answer: { ok: true, redelivered: 1 } },
});
