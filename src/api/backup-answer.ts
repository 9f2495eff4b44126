import Type from "typebox";
import { Bytes, Count, SkippedPathSchema, WorkspacePath } from "./manifest-answer.ts";

const closed = { additionalProperties: false } as const;

const ArchiveName = Type.String({ description: "Name of the archive" });

/** The reasons of a scan, and those of an archive. */
const BackupSkipSchema = Type.Object(
  {
    path: WorkspacePath,
    reason: Type.Union([
      ...SkippedPathSchema.properties.reason.anyOf,
      Type.Literal("missing"),
      Type.Literal("unportable_name"),
      Type.Literal("name_collision"),
      Type.Literal("reserved_name"),
    ]),
  },
  closed,
);

export const CreatedBackupSchema = Type.Object(
  {
    name: ArchiveName,
    path: WorkspacePath,
    files: Count,
    bytes: Type.Integer({ minimum: 0, description: "Of the archive" }),
    content_bytes: Type.Integer({ minimum: 0, description: "Of the files in it" }),
    checksum: Type.String({ description: "Of the embedded manifest" }),
    removed: Type.Array(ArchiveName, { description: "Archives that rotation removed" }),
    kept: Type.Array(ArchiveName, {
      description: "Archives that rotation left because they hold files at places where this one has none",
    }),
    skipped: Type.Array(BackupSkipSchema, { description: "What was asked for and is not in the archive" }),
  },
  closed,
);

export const RestoredBackupSchema = Type.Object(
  {
    name: ArchiveName,
    restored: Type.Array(WorkspacePath, { description: "Written" }),
    skipped: Type.Array(WorkspacePath, { description: "Asked for and not written" }),
    skipped_reasons: Type.Object(
      {
        exists: Type.Optional(Count),
        equal: Type.Optional(Count),
        protected: Type.Optional(Count),
        missing: Type.Optional(Count),
      },
      { additionalProperties: false, description: "How many were skipped for which reason" },
    ),
  },
  closed,
);

export const BackupListSchema = Type.Object(
  {
    backups: Type.Array(
      Type.Object(
        {
          name: ArchiveName,
          path: WorkspacePath,
          bytes: Bytes,
          created_at: Type.String({ description: "ISO 8601, from the name" }),
          label: Type.Union([Type.String(), Type.Null()]),
        },
        closed,
      ),
      { description: "Newest first" },
    ),
  },
  closed,
);

export const VerifiedBackupSchema = Type.Object(
  {
    name: ArchiveName,
    ok: Type.Boolean({ description: "Restore would take every file, and the archive holds what its manifest says" }),
    files: Count,
    bytes: Bytes,
    content_bytes: Bytes,
    checksum: Type.Union([Type.String(), Type.Null()], { description: "null in an archive without a manifest" }),
    problems: Type.Array(
      Type.Object({ path: Type.Union([Type.String(), Type.Null()]), problem: Type.String() }, closed),
    ),
    missing: Type.Array(Type.String(), { description: "In the manifest, not in the archive" }),
    extra: Type.Array(Type.String(), { description: "In the archive, not in its manifest" }),
  },
  closed,
);
