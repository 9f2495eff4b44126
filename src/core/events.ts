/**
 * What happened, told once. Rooms emit through an EventSink; only app.ts knows who listens (the log, the hooks, a
 * progress bar). Events hold names and counts, never secrets or contents.
 */
export type ProductEvent = SyncPlanned | SyncProgress | SyncCompleted | BackupCreated | BackupRestored | VaultAudited;

export interface SyncPlanned {
  readonly type: "sync.dry_run";
  readonly service: string;
  readonly snapshot: string;
  readonly paths: readonly string[];
  readonly uploads: number;
  readonly deletes: number;
  readonly unchanged: number;
  readonly retained: number;
  readonly skipped: number;
  readonly bytes: number;
  readonly durationMs: number;
}

export interface SyncProgress {
  readonly type: "sync.progress";
  /** Of a dry run, which only scans. */
  readonly dryRun: boolean;
  readonly service: string;
  readonly snapshot: string;
  readonly phase: "scan" | "upload" | "delete" | "publish";
  readonly filesDone: number;
  readonly filesTotal: number;
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

export interface SyncCompleted {
  readonly type: "sync.run";
  readonly service: string;
  readonly snapshot: string;
  readonly paths: readonly string[];
  readonly status: "ok" | "partial" | "failed" | "aborted";
  readonly uploads: number;
  readonly deletes: number;
  /** Files that were unchanged, as notes.md counts `skipped`. */
  readonly skipped: number;
  readonly bytes: number;
  readonly errors: number;
  /** The first of the files that failed, as the answer names them; left out where none did. */
  readonly failures?: readonly Readonly<Record<"action" | "path" | "error" | "code", string>>[];
  readonly durationMs: number;
  /** Code and message of the error that ended a failed run. */
  readonly code?: string;
  readonly error?: string;
}

export interface BackupCreated {
  readonly type: "backup.create";
  readonly name: string;
  readonly paths: readonly string[];
  readonly files: number;
  readonly bytes: number;
  readonly removed: number;
  readonly durationMs: number;
}

export interface BackupRestored {
  readonly type: "backup.restore";
  readonly name: string;
  /** What was asked for; empty for all of the archive. */
  readonly paths: readonly string[];
  readonly restored: number;
  readonly skipped: number;
  /** Of the files that were restored. */
  readonly bytes: number;
  readonly durationMs: number;
}

export interface VaultAudited {
  readonly type: "vault.audit";
  readonly action: "unlock" | "unlock_failed" | "store" | "rekey" | "restore_backup";
  /** Code of the error that refused it. */
  readonly code?: string;
}

export interface EventSink {
  /** Never throws and never waits: a listener's trouble is not the emitter's. */
  emit(event: ProductEvent): void;
}

export const noEvents: EventSink = { emit: () => undefined };
