import Type from "typebox";
import { WebhookSchema } from "./webhook-answer.ts";

const Event = Type.String({ description: "Name of the event" });
const Data = Type.Record(Type.String(), Type.Unknown(), { description: "The event's payload" });

/** An envelope as the history lists it. */
const HookItemSchema = Type.Object({
  id: Type.String({ description: "For Last-Event-ID: a stream goes on after it" }),
  event: Event,
  ts: Type.Number({ description: "When it was published, seconds since the epoch" }),
  data: Data,
});

export const HookListSchema = Type.Object({
  ok: Type.Literal(true),
  hooks: Type.Array(
    Type.Object({
      name: Event,
      description: Type.String(),
      ws_topic: Type.String({ description: "Its name among WebSocket topics; the plain name is understood as well" }),
      rest_event: Type.String(),
      payload: Type.Record(Type.String(), Type.String(), { description: "What each field says" }),
      schema: Type.Unknown({ description: "JSON Schema of the payload" }),
      example: Data,
    }),
  ),
  webhooks: Type.Array(WebhookSchema),
  webhooks_problem: Type.Optional(
    Type.Object(
      { code: Type.String(), detail: Type.String() },
      { description: "Why the webhooks cannot be told, when they cannot" },
    ),
  ),
  plugin_host: Type.Object(
    { enabled: Type.Boolean(), root: Type.Union([Type.String(), Type.Null()]) },
    { description: "The studio runs plugins; this server has none" },
  ),
  history: Type.Array(HookItemSchema, { description: "The newest 15, oldest first" }),
});

export const HookHistorySchema = Type.Object({ ok: Type.Literal(true), items: Type.Array(HookItemSchema) });

export const TestedHookSchema = Type.Object({
  ok: Type.Literal(true),
  event: Event,
  id: Type.String({ description: "Of the event that was sent" }),
});
