import type { ErrorCode } from "../core/errors.ts";
import { ManifestAnswerSchema } from "./manifest-answer.ts";
import { operation } from "./operation.ts";
import { DryRunAnswerSchema, RunAnswerSchema } from "./sync-answer.ts";
import { DryRunRequestSchema, ManifestQuerySchema, RunRequestSchema } from "./sync-request.ts";

/** The gate of all of it, and what a scan can end in. */
const SCAN_ERRORS: readonly ErrorCode[] = [
  "schema",
  "bad_snapshot",
  "bad_path",
  "bad_pattern",
  "feature_disabled",
  "config_malformed",
  "config_invalid",
  "root_missing",
  "server_busy",
  "aborted",
];

/** Until a provider is open. */
const DESTINATION_ERRORS: readonly ErrorCode[] = [
  ...SCAN_ERRORS,
  "protected_setting",
  "provider_config",
  "credentials_missing",
  "vault_path",
  "vault_missing",
  "vault_locked",
  "vault_wrong_passphrase",
  "vault_malformed",
  "vault_unsupported",
];

const manifestExample = {
  name: "nightly",
  root: "/srv/studio",
  created_at: "2026-11-22T04:05:06.789Z",
  entries: 1,
  bytes: 5,
  checksum: "5f1c2d8f6f0b7e5d7c0a2e4b6d8f0a1c3e5a7b9d1f3c5e7a9b1d3f5c7e9a1b3d",
  digest: "0a1c3e5a7b9d1f3c5e7a9b1d3f5c7e9a1b3d5f1c2d8f6f0b7e5d7c0a2e4b6d8f",
};
const summaryExample = { ...manifestExample, include: ["assets", "config"], exclude: ["*.tmp"], skipped: [] };
const uploadExample = {
  action: "upload" as const,
  path: "assets/hero.png",
  size: 5,
  sha256: "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
  reason: "missing_remote" as const,
};
const planExample = {
  service: "s3",
  snapshot: "nightly",
  uploads: [uploadExample],
  deletes: [],
  unchanged: [],
  retained: 0,
  bytes_to_upload: 5,
  files_to_upload: 1,
  files_to_delete: 0,
  files_unchanged: 0,
  guard: null,
};
const base = { service: "s3", snapshot: "nightly", root: "/srv/studio", warnings: [] };

export const getManifest = operation({
  id: "getManifest",
  method: "GET",
  path: "/api/sync/manifest",
  tag: "sync",
  summary: "The workspace's manifest in numbers, as it is now",
  query: ManifestQuerySchema,
  answer: ManifestAnswerSchema,
  errors: SCAN_ERRORS,
  examples: { query: { snapshot: "nightly", include: "assets,config", exclude: "*.tmp" }, answer: summaryExample },
});

export const dryRunSync = operation({
  id: "dryRunSync",
  method: "POST",
  path: "/api/sync/dry_run",
  tag: "sync",
  summary: "What a run would do; changes nothing",
  description:
    "A destination that cannot be read is planned against the cached manifest, and `summary.warnings` says so; a provider whose SDK is not installed gives a stub. Afterwards the hook `on_cloud_sync_plan` fires.",
  body: DryRunRequestSchema,
  answer: DryRunAnswerSchema,
  errors: DESTINATION_ERRORS,
  examples: {
    body: {
      service: "s3",
      snapshot: "nightly",
      paths: ["assets", "config"],
      credentials_key: "cloud_sync.s3",
      service_config: { bucket: "studio-nightly", prefix: "dev" },
    },
    answer: {
      manifest: summaryExample,
      plan: planExample,
      summary: {
        ...base,
        uploads: [uploadExample],
        deletes: [],
        skipped: [],
        status: "dry_run",
        errors: [],
        bytes_uploaded: 0,
        guard: null,
        provider: "s3",
      },
      remote_manifest: null,
    },
  },
});

export const runSync = operation({
  id: "runSync",
  method: "POST",
  path: "/api/sync/run",
  tag: "sync",
  summary: "Makes the destination equal to the workspace",
  description:
    "Uploads, then deletes, then the manifest, which is published only when nothing failed. A file that fails is listed in `summary.errors`, the rest goes on, and `summary.status` is `partial`. A client that goes away cancels its run. Afterwards the hook `on_cloud_sync_complete` fires.",
  body: RunRequestSchema,
  answer: RunAnswerSchema,
  errors: [
    ...DESTINATION_ERRORS,
    "run_in_progress",
    "delete_guard",
    "manifest_conflict",
    "remote_manifest_invalid",
    "sdk_missing",
    "provider_unreachable",
    "provider_timeout",
    "provider_throttled",
    "provider_unavailable",
    "provider_denied",
    "provider_container_missing",
    "provider_error",
    "provider_unsupported",
    "disk_full",
    "write_failed",
  ],
  examples: {
    body: {
      service: "gdrive",
      snapshot: "milestone-12",
      credentials_key: "cloud_sync.gdrive",
      service_config: { parent_id: "<drive-folder>", manifest_parent_id: "<manifest-folder>" },
    },
    answer: {
      manifest: summaryExample,
      plan: planExample,
      summary: {
        ...base,
        uploads: ["assets/hero.png"],
        deletes: [],
        skipped: [],
        status: "ok",
        errors: [],
        bytes_uploaded: 5,
      },
      committed: true,
      remote_manifest: { ...manifestExample, source: "remote" },
    },
  },
});
