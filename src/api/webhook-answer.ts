import Type from "typebox";

const closed = { additionalProperties: false } as const;

const Ok = Type.Boolean({ description: "true; failures are problems" });
const Time = (description: string) => Type.String({ description: `${description}, ISO 8601 UTC` });
const Count = (description: string) => Type.Integer({ minimum: 0, description });
const Nullable = <Schema extends Type.TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);

/** A subscription; never its secret. */
export const WebhookSchema = Type.Object(
  {
    id: Type.String({ description: "Names it in requests" }),
    event: Type.String(),
    url: Type.String({ description: "Without what looks like a secret in it" }),
    signed: Type.Boolean({ description: "It has a secret, which is never shown" }),
    known: Type.Boolean({ description: "false for events of the studio, which this server does not send" }),
    pending: Count("Events that wait for its address"),
    failures: Count("Of its address, in a row"),
    next_attempt_at: Nullable(Time("When its address is tried again")),
  },
  closed,
);

const delivery = {
  id: Type.Integer({ description: "Of the delivery" }),
  webhook_id: Type.String({ description: "As in the header of that name: the same in every attempt" }),
  event: Type.String(),
  url: Nullable(Type.String({ description: "null when nobody subscribes there any more" })),
  queued_at: Time("When it was queued"),
  attempts: Count("Made so far"),
};

export const WebhookListSchema = Type.Object({ ok: Ok, webhooks: Type.Array(WebhookSchema) }, closed);
export const RegisteredWebhookSchema = Type.Object({ ok: Ok, webhook: WebhookSchema }, closed);
export const RemovedWebhookSchema = Type.Object({ ok: Ok, removed: Count("Subscriptions that ended") }, closed);
export const RedeliveredWebhooksSchema = Type.Object(
  { ok: Ok, redelivered: Count("Dead letters that are queued again") },
  closed,
);

export const WebhookPendingSchema = Type.Object(
  { ok: Ok, items: Type.Array(Type.Object(delivery, closed), { description: "In the order of sending" }) },
  closed,
);

export const WebhookDeadLettersSchema = Type.Object(
  {
    ok: Ok,
    items: Type.Array(
      Type.Object(
        {
          ...delivery,
          dead_at: Time("When it was given up"),
          reason: Type.String({ description: "attempts, expired, queue_full or unsubscribed" }),
        },
        closed,
      ),
      { description: "The latest first" },
    ),
  },
  closed,
);

export const WebhookAttemptsSchema = Type.Object(
  {
    ok: Ok,
    items: Type.Array(
      Type.Object(
        {
          at: Time("When it was made"),
          delivery: Type.Integer({ description: "Its id" }),
          webhook_id: delivery.webhook_id,
          event: Type.String(),
          url: delivery.url,
          ok: Type.Boolean({ description: "Answered with a status in the 200s" }),
          status: Nullable(Type.Integer({ description: "null when no answer came" })),
          failure: Nullable(
            Type.String({
              description:
                "status, redirect, unreachable, unresolved, tls, timeout, broken, or the code of an error: webhook_refused, webhook_url, webhook_secret",
            }),
          ),
          duration_ms: Count("Milliseconds"),
        },
        closed,
      ),
      { description: "The latest first, of the last thousand" },
    ),
  },
  closed,
);
