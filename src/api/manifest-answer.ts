import Type from "typebox";

const Sha256 = Type.String({ pattern: "^[0-9a-f]{64}$", description: "Lower-case hex" });
export const Count = Type.Integer({ minimum: 0 });
export const Bytes = Type.Integer({ minimum: 0, description: "Bytes" });
export const WorkspacePath = Type.String({ description: "Relative to the workspace, with /" });

const SkipReason = Type.Union(
  [
    Type.Literal("unreadable"),
    Type.Literal("vanished"),
    Type.Literal("changed"),
    Type.Literal("invalid_name"),
    Type.Literal("not_a_file"),
    Type.Literal("protected"),
    Type.Literal("symlink"),
    Type.Literal("symlink_cycle"),
    Type.Literal("symlink_outside"),
    Type.Literal("symlink_broken"),
  ],
  { description: "Why a path is not recorded. It is never taken for deleted" },
);

export const SkippedPathSchema = Type.Object(
  { path: WorkspacePath, reason: SkipReason },
  { additionalProperties: false },
);

/** What tells one manifest from another. */
export const manifestCounts = {
  name: Type.String({ description: "The snapshot" }),
  root: Type.String({ description: "The workspace's folder on the machine that made the manifest" }),
  created_at: Type.String({ description: "ISO 8601" }),
  entries: Type.Integer({ minimum: 0, description: "How many files" }),
  bytes: Type.Integer({ minimum: 0, description: "Of all files together" }),
  checksum: Type.String({
    description: "SHA-256 over paths, sizes, mtimes and hashes, as the Python studio computes it",
  }),
  digest: Type.String({ description: "The same without mtimes: equal content has an equal digest on any machine" }),
};

export const manifestSummary = {
  ...manifestCounts,
  include: Type.Array(Type.String()),
  exclude: Type.Array(Type.String()),
  skipped: Type.Array(SkippedPathSchema),
};

const EntrySchema = Type.Object(
  {
    path: WorkspacePath,
    size: Bytes,
    mtime: Type.Number({ description: "Seconds since the epoch" }),
    sha256: Sha256,
  },
  { additionalProperties: false },
);

export const ManifestAnswerSchema = Type.Object(
  {
    ...manifestSummary,
    detail: Type.Optional(Type.Array(EntrySchema, { description: "The files, with detail=entries" })),
  },
  { additionalProperties: false },
);
