import Type from "typebox";
import { Bytes, Count, manifestCounts, manifestSummary, WorkspacePath } from "./manifest-answer.ts";

const closed = { additionalProperties: false } as const;

const change = {
  path: WorkspacePath,
  size: Type.Optional(Bytes),
  sha256: Type.Optional(Type.String()),
  reason: Type.Optional(
    Type.Union([Type.Literal("missing_remote"), Type.Literal("content_mismatch"), Type.Literal("missing_local")]),
  ),
};

/** Interop's change; which lists hold which action is the plan's business. */
const ChangeSchema = Type.Object(
  { action: Type.Union([Type.Literal("upload"), Type.Literal("delete"), Type.Literal("skip")]), ...change },
  closed,
);

const UploadSchema = Type.Object(
  {
    ...ChangeSchema.properties,
    source: Type.Optional(
      Type.String({ description: "A path whose bytes the destination has already: copied there, nothing is sent" }),
    ),
  },
  closed,
);

const GuardSchema = Type.Union(
  [
    Type.Object(
      {
        deletes: Count,
        remote_in_scope: Count,
        more_than_half: Type.Boolean(),
        missing_include_paths: Count,
      },
      closed,
    ),
    Type.Null(),
  ],
  { description: "Why a run of this plan is refused without confirm_deletes; null when it is not" },
);

const PlanSchema = Type.Object(
  {
    service: Type.String(),
    snapshot: Type.String(),
    uploads: Type.Array(UploadSchema),
    deletes: Type.Array(ChangeSchema),
    unchanged: Type.Array(ChangeSchema),
    retained: Type.Integer({ minimum: 0, description: "Remote files that are not here and stay: out of scope" }),
    bytes_to_upload: Bytes,
    files_to_upload: Count,
    files_to_delete: Count,
    files_unchanged: Count,
    guard: GuardSchema,
  },
  closed,
);

const ManifestSchema = Type.Object(manifestSummary, closed);

const RemoteManifestSchema = Type.Union(
  [
    Type.Object(
      {
        ...manifestCounts,
        source: Type.Union([Type.Literal("remote"), Type.Literal("cache")], {
          description: "cache: the destination could not be asked",
        }),
      },
      closed,
    ),
    Type.Null(),
  ],
  { description: "What the destination publishes; null before the first run" },
);

const summaryBase = {
  service: Type.String(),
  snapshot: Type.String(),
  root: Type.String(),
  warnings: Type.Array(Type.String(), { description: "What to know although nothing failed" }),
};

export const DryRunAnswerSchema = Type.Object(
  {
    manifest: ManifestSchema,
    plan: PlanSchema,
    summary: Type.Object(
      {
        ...summaryBase,
        uploads: Type.Array(UploadSchema),
        deletes: Type.Array(ChangeSchema),
        skipped: Type.Array(ChangeSchema),
        status: Type.Literal("dry_run"),
        errors: Type.Array(Type.Never(), { maxItems: 0, description: "Always empty" }),
        bytes_uploaded: Type.Literal(0),
        guard: GuardSchema,
        provider: Type.String({ description: "stub when the provider's SDK is not installed" }),
        reason: Type.Optional(Type.String({ description: "Why it is a stub" })),
      },
      closed,
    ),
    remote_manifest: RemoteManifestSchema,
  },
  closed,
);

const FileErrorSchema = Type.Object(
  {
    action: Type.Union([Type.Literal("upload"), Type.Literal("delete")]),
    path: WorkspacePath,
    error: Type.String(),
    code: Type.String(),
  },
  closed,
);

export const RunAnswerSchema = Type.Object(
  {
    manifest: ManifestSchema,
    plan: PlanSchema,
    summary: Type.Object(
      {
        ...summaryBase,
        uploads: Type.Array(WorkspacePath),
        deletes: Type.Array(WorkspacePath),
        skipped: Type.Array(WorkspacePath),
        status: Type.Union([Type.Literal("ok"), Type.Literal("partial")]),
        errors: Type.Array(FileErrorSchema),
        bytes_uploaded: Bytes,
      },
      closed,
    ),
    committed: Type.Boolean({ description: "The local cache holds the new manifest" }),
    remote_manifest: RemoteManifestSchema,
  },
  closed,
);
