import Type from "typebox";

const closed = { additionalProperties: false } as const;

export const HealthAnswerSchema = Type.Object(
  {
    status: Type.Literal("ok"),
    version: Type.String(),
    uptime_s: Type.Integer({ minimum: 0, description: "Seconds since the server started" }),
    features: Type.Union(
      [
        Type.Object(
          {
            enable_cloud_sync: Type.Boolean(),
            enable_cloud_sync_s3: Type.Boolean(),
            enable_cloud_sync_gdrive: Type.Boolean(),
            enable_cloud_sync_local: Type.Boolean(),
          },
          closed,
        ),
        Type.Null(),
      ],
      { description: "The flags; null when a config file is damaged" },
    ),
    config: Type.Optional(
      Type.Object({ code: Type.String(), detail: Type.String() }, { ...closed, description: "What is wrong with it" }),
    ),
    vault: Type.Object(
      {
        present: Type.Boolean({ description: "The workspace has a vault" }),
        unlocked: Type.Boolean({ description: "The server's passphrase opens it" }),
      },
      { ...closed, description: "Never contents" },
    ),
  },
  closed,
);
