import Type from "typebox";

export const TestHookRequestSchema = Type.Object(
  {
    event: Type.String({ maxLength: 128, description: "The event's name", examples: ["on_cloud_sync_complete"] }),
    payload: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: "Fields of the payload; those left out are the example's of GET /api/modder/hooks",
      }),
    ),
  },
  { additionalProperties: false },
);

/** Query of GET /api/modder/hooks/history. */
export const HookHistoryQuerySchema = Type.Object(
  {
    limit: Type.Optional(
      Type.String({
        pattern: "^[1-9][0-9]{0,8}$",
        title: "a whole number from 1 to 999999999",
        description: "The newest so many, oldest first; 25 without it",
      }),
    ),
  },
  { additionalProperties: false },
);

/** Query of GET /api/modder/hooks/stream. */
export const HookStreamQuerySchema = Type.Object(
  {
    topics: Type.Optional(Type.String({ maxLength: 4096, description: "Events, separated by commas; all without it" })),
    last_event_id: Type.Optional(
      Type.String({ maxLength: 64, description: "As the header Last-Event-ID, for readers that cannot send it" }),
    ),
  },
  { additionalProperties: false },
);
