import Type from "typebox";

const Service = Type.Union([Type.Literal("s3"), Type.Literal("gdrive"), Type.Literal("local")], {
  description: "The provider to mirror to",
});
const Paths = Type.Array(Type.String({ minLength: 1, maxLength: 4096 }), {
  minItems: 1,
  maxItems: 256,
  description: "Include paths, relative to the workspace; the settings' or the defaults without it",
  examples: [["assets", "config"]],
});
const Exclude = Type.Array(Type.String({ maxLength: 1024 }), {
  maxItems: 256,
  description: "Exclude patterns as Python's fnmatchcase reads them; they replace the settings' and the defaults",
});

const shared = {
  service: Service,
  snapshot: Type.Optional(
    Type.String({ default: "default", description: "Name of the mirror", examples: ["nightly"] }),
  ),
  paths: Type.Optional(Paths),
  exclude: Type.Optional(Exclude),
  follow_symlinks: Type.Optional(Type.Boolean({ default: false })),
  credentials_key: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 256,
      description: "Where in the vault the provider's settings are; cloud_sync.<service> without it",
    }),
  ),
  service_config: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), {
      description:
        "Settings of the destination laid over the vault's. Never credentials, endpoints or folders of this machine",
    }),
  ),
  rehash: Type.Optional(Type.Boolean({ default: false, description: "Read every file again" })),
};

export const DryRunRequestSchema = Type.Object(shared, { additionalProperties: false });

export const RunRequestSchema = Type.Object(
  {
    ...shared,
    commit_manifest: Type.Optional(
      Type.Boolean({ default: true, description: "Write the local cache after a run that is ok" }),
    ),
    confirm_deletes: Type.Optional(
      Type.Boolean({ default: false, description: "Carry out deletes that the guard refuses" }),
    ),
  },
  { additionalProperties: false },
);

/** A switch of a query. Python writes its own with a capital. */
const QuerySwitch = Type.Union(
  (["true", "false", "1", "0", "True", "False"] as const).map((text) => Type.Literal(text)),
);

/** Query of GET /api/sync/manifest; lists are separated by commas. */
export const ManifestQuerySchema = Type.Object(
  {
    snapshot: Type.Optional(Type.String()),
    include: Type.Optional(Type.String({ maxLength: 65_536 })),
    exclude: Type.Optional(Type.String({ maxLength: 65_536 })),
    follow_symlinks: Type.Optional(QuerySwitch),
    detail: Type.Optional(Type.Literal("entries")),
    rehash: Type.Optional(QuerySwitch),
  },
  { additionalProperties: false },
);

export type DryRunRequest = Type.Static<typeof DryRunRequestSchema>;
export type RunRequest = Type.Static<typeof RunRequestSchema>;
export type ManifestQuery = Type.Static<typeof ManifestQuerySchema>;
