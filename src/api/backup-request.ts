import Type from "typebox";

const Paths = Type.Array(Type.String({ minLength: 1, maxLength: 4096 }), { minItems: 1, maxItems: 256 });
const Name = Type.String({
  maxLength: 128,
  description: "Name of an archive under backups/cloud, as create answered it",
  examples: ["20251215T080530Z-pre-release.zip"],
});

export const CreateBackupRequestSchema = Type.Object(
  {
    label: Type.Optional(
      Type.String({ maxLength: 256, description: "Part of the archive's name", examples: ["pre-release"] }),
    ),
    include: Type.Optional({
      ...Paths,
      description: "Paths relative to the workspace; data, assets and config without it",
    }),
    exclude: Type.Optional(
      Type.Array(Type.String({ maxLength: 1024 }), {
        maxItems: 256,
        description: "Exclude patterns as Python's fnmatchcase reads them; they replace the settings' and the defaults",
      }),
    ),
    max_backups: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 50, default: 5, description: "Archives kept, this one included" }),
    ),
  },
  { additionalProperties: false },
);

export const RestoreBackupRequestSchema = Type.Object(
  {
    name: Name,
    replace_existing: Type.Optional(Type.Boolean({ default: false, description: "Replace files that exist" })),
    paths: Type.Optional({ ...Paths, description: "Restore only what is at or below these paths" }),
  },
  { additionalProperties: false },
);

export const VerifyBackupRequestSchema = Type.Object({ name: Name }, { additionalProperties: false });

export type CreateBackupRequest = Type.Static<typeof CreateBackupRequestSchema>;
export type RestoreBackupRequest = Type.Static<typeof RestoreBackupRequestSchema>;
