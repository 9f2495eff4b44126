import Type from "typebox";

const Event = Type.String({
  minLength: 1,
  maxLength: 128,
  description: "Name of the event",
  examples: ["on_cloud_sync_complete"],
});
const Url = Type.String({
  minLength: 1,
  maxLength: 2048,
  description:
    "Where the envelope is POSTed: http or https, on the public internet unless hooks.allow_private_targets is set",
  examples: ["https://ci.example.com/hooks/comfyvn"],
});

export const RegisterWebhookRequestSchema = Type.Object(
  {
    event: Event,
    url: Url,
    secret: Type.Optional(
      Type.Union([Type.String({ maxLength: 1024 }), Type.Null()], {
        description: "Signs what is sent; never shown again. Any text, or whsec_ and base64 of the key",
      }),
    ),
  },
  { additionalProperties: false },
);

export const RemoveWebhookRequestSchema = Type.Object(
  {
    event: Type.Optional(Event),
    url: Type.Optional(Url),
    id: Type.Optional(Type.String({ maxLength: 64, description: "As listed, instead of event and url" })),
  },
  { additionalProperties: false },
);

export const RedeliverWebhooksRequestSchema = Type.Object(
  {
    ids: Type.Optional(
      Type.Array(Type.Integer({ minimum: 1 }), {
        minItems: 1,
        maxItems: 10_000,
        description: "Dead letters by their id; all without it",
      }),
    ),
  },
  { additionalProperties: false },
);

export const WebhookListQuerySchema = Type.Object(
  {
    limit: Type.Optional(
      Type.String({
        pattern: "^[0-9]{1,5}$",
        title: "a whole number from 0 to 99999",
        description: "At most so many; 100 without it",
      }),
    ),
  },
  { additionalProperties: false },
);
