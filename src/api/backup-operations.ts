import type { ErrorCode } from "../core/errors.ts";
import { BackupListSchema, CreatedBackupSchema, RestoredBackupSchema, VerifiedBackupSchema } from "./backup-answer.ts";
import { CreateBackupRequestSchema, RestoreBackupRequestSchema, VerifyBackupRequestSchema } from "./backup-request.ts";
import { operation } from "./operation.ts";

const NAME = "20251215T080530Z-pre-release.zip";
const ARCHIVE_ERRORS: readonly ErrorCode[] = ["backup_name", "backup_missing", "server_busy", "aborted"];

export const listBackups = operation({
  id: "listBackups",
  method: "GET",
  path: "/api/backup",
  tag: "backup",
  summary: "The archives of the workspace, newest first",
  answer: BackupListSchema,
  errors: [],
  examples: {
    answer: {
      backups: [
        {
          name: NAME,
          path: `backups/cloud/${NAME}`,
          bytes: 10_240,
          created_at: "2025-12-15T08:05:30Z",
          label: "pre-release",
        },
      ],
    },
  },
});

export const createBackup = operation({
  id: "createBackup",
  method: "POST",
  path: "/api/backup/create",
  tag: "backup",
  summary: "Writes a ZIP archive under backups/cloud and removes the oldest ones",
  body: CreateBackupRequestSchema,
  answer: CreatedBackupSchema,
  errors: [
    "bad_path",
    "bad_pattern",
    "backup_label",
    "backup_empty",
    "backup_too_large",
    "backup_busy",
    "config_malformed",
    "config_invalid",
    "root_missing",
    "disk_full",
    "write_failed",
    "server_busy",
    "aborted",
  ],
  examples: {
    body: { label: "pre-release", max_backups: 10 },
    answer: {
      name: NAME,
      path: `backups/cloud/${NAME}`,
      files: 3,
      bytes: 10_240,
      content_bytes: 65_536,
      checksum: "5f1c2d8f6f0b7e5d7c0a2e4b6d8f0a1c3e5a7b9d1f3c5e7a9b1d3f5c7e9a1b3d",
      removed: [],
      kept: [],
      skipped: [],
    },
  },
});

export const restoreBackup = operation({
  id: "restoreBackup",
  method: "POST",
  path: "/api/backup/restore",
  tag: "backup",
  summary: "Brings files of an archive back",
  description:
    "Every entry is checked before the first write. When a write fails, `restored` of the problem tells what was written until then, and the same call finishes it.",
  body: RestoreBackupRequestSchema,
  answer: RestoredBackupSchema,
  errors: [
    ...ARCHIVE_ERRORS,
    "bad_path",
    "backup_busy",
    "archive_invalid",
    "restore_conflict",
    "disk_full",
    "write_failed",
  ],
  examples: {
    body: { name: NAME, replace_existing: false },
    answer: { name: NAME, restored: ["assets/hero.png"], skipped: ["config/ui.json"], skipped_reasons: { exists: 1 } },
  },
});

export const verifyBackup = operation({
  id: "verifyBackup",
  method: "POST",
  path: "/api/backup/verify",
  tag: "backup",
  summary: "Reads a whole archive as a restore would, and writes nothing",
  body: VerifyBackupRequestSchema,
  answer: VerifiedBackupSchema,
  errors: ARCHIVE_ERRORS,
  examples: {
    body: { name: NAME },
    answer: {
      name: NAME,
      ok: true,
      files: 3,
      bytes: 10_240,
      content_bytes: 65_536,
      checksum: "5f1c2d8f6f0b7e5d7c0a2e4b6d8f0a1c3e5a7b9d1f3c5e7a9b1d3f5c7e9a1b3d",
      problems: [],
      missing: [],
      extra: [],
    },
  },
});
