import Type from "typebox";

/** `features` of config/comfyvn.json. Every flag is off unless the file says `true`. */
export const FeaturesSchema = Type.Object({
  enable_cloud_sync: Type.Optional(Type.Boolean()),
  enable_cloud_sync_s3: Type.Optional(Type.Boolean()),
  enable_cloud_sync_gdrive: Type.Optional(Type.Boolean()),
  enable_cloud_sync_local: Type.Optional(Type.Boolean()),
});

/**
 * `sync`. `snapshot_prefix` and `default_root` belong to the Python studio: whatever they hold, they are left alone.
 * `local.path` is the folder of the `local` provider.
 */
const SyncSchema = Type.Object({
  include: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 4096 }), { maxItems: 256 })),
  exclude: Type.Optional(Type.Array(Type.String({ maxLength: 1024 }), { maxItems: 256 })),
  concurrency: Type.Optional(Type.Integer({ minimum: 1, maximum: 256 })),
  bandwidth_limit_bytes_per_s: Type.Optional(Type.Integer({ minimum: 1024 })),
  local: Type.Optional(Type.Object({ path: Type.Optional(Type.String({ minLength: 1, maxLength: 4096 })) })),
});

/** `server`. The first of `ports` is the default of `--port`. */
const ServerSchema = Type.Object({
  host: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
  ports: Type.Optional(Type.Array(Type.Integer({ minimum: 0, maximum: 65535 }), { maxItems: 16 })),
  log_bytes_max: Type.Optional(Type.Integer({ minimum: 4096 })),
  log_files_kept: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
});

/** `hooks`: how webhooks are delivered. */
const HooksSchema = Type.Object({
  allow_private_targets: Type.Optional(Type.Boolean()),
  webhook_attempts_max: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
  webhook_timeout_s: Type.Optional(Type.Integer({ minimum: 1, maximum: 60 })),
});

/** What of the file is ours. Other keys, and unknown ones inside these sections, belong to the studio. */
export const ConfigFileSchema = Type.Object({
  features: Type.Optional(FeaturesSchema),
  sync: Type.Optional(SyncSchema),
  server: Type.Optional(ServerSchema),
  hooks: Type.Optional(HooksSchema),
});

export type ConfigFile = Type.Static<typeof ConfigFileSchema>;
export type FlagName = keyof Type.Static<typeof FeaturesSchema>;

export const FLAG_NAMES = Object.keys(FeaturesSchema.properties) as readonly FlagName[];
