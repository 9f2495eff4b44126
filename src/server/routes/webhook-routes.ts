import {
  listWebhookAttempts,
  listWebhookDeadLetters,
  listWebhookPending,
  listWebhooks,
  redeliverWebhooks,
  registerWebhook,
  removeWebhook,
} from "../../api/webhook-operations.ts";
import type { App } from "../../app.ts";
import { SyncError } from "../../core/errors.ts";
import type { Router } from "../router.ts";

const LIMIT_DEFAULT = 100;

/** `/api/modder/hooks/webhooks*`, behind no flag. Secrets go in and never come out. */
export function addWebhookRoutes(router: Router, { webhooks }: App): void {
  router
    .on(listWebhooks, () => ({ ok: true, webhooks: webhooks.list() }))
    .on(registerWebhook, async ({ body: { event, url, secret } }) => {
      return { ok: true, webhook: await webhooks.register({ event, url, secret: secret ?? undefined }) };
    })
    .on(removeWebhook, async ({ body }) => ({ ok: true, removed: await webhooks.remove(nameOf(body)) }))
    .on(listWebhookPending, ({ query }) => ({ ok: true, items: webhooks.pending(limitOf(query)) }))
    .on(listWebhookDeadLetters, ({ query }) => ({ ok: true, items: webhooks.deadLetters(limitOf(query)) }))
    .on(listWebhookAttempts, ({ query }) => ({ ok: true, items: webhooks.attempts(limitOf(query)) }))
    .on(redeliverWebhooks, ({ body: { ids } }) => ({ ok: true, redelivered: webhooks.redeliver(ids) }));
}

function limitOf({ limit }: { readonly limit?: string }): number {
  return limit === undefined ? LIMIT_DEFAULT : Number(limit);
}

interface Named {
  readonly event?: string;
  readonly url?: string;
  readonly id?: string;
}

function nameOf({ event, url, id }: Named): { event: string; url: string } | { id: string } {
  if (id !== undefined && event === undefined && url === undefined) return { id };
  if (id === undefined && event !== undefined && url !== undefined) return { event, url };
  throw new SyncError("schema", "name the webhook by its event and url, or by the id it is listed under");
}
