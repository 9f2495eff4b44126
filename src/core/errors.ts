/**
 * Every failure this product reports, by its stable code. A code never changes its meaning; tools may switch on it.
 * server/problem.ts maps each to one HTTP status, cli/ to one exit code.
 */
export const ERROR_CODES = [
  // request
  "bad_request",
  "bad_path",
  "bad_pattern",
  "bad_snapshot",
  "protected_setting",
  "schema",
  "unsupported_media_type",
  "body_too_large",
  "request_timeout",
  "not_found",
  "method_not_allowed",
  "forbidden_host",
  "forbidden_origin",
  "unauthorized",
  "too_many_attempts",
  "server_busy",
  "upgrade_required",
  "needs_file_system",
  // configuration
  "feature_disabled",
  "config_malformed",
  "config_invalid",
  "root_missing",
  "server_host_refused",
  "port_in_use",
  "server_unreachable",
  // vault
  "vault_missing",
  "vault_locked",
  "vault_wrong_passphrase",
  "vault_malformed",
  "vault_unsupported",
  "vault_exists",
  "vault_busy",
  "vault_backup_missing",
  "vault_too_large",
  "vault_path",
  "vault_rekey_drops",
  "credentials_missing",
  // manifest
  "manifest_malformed",
  "manifest_checksum",
  "file_changed",
  "file_missing",
  "file_unreadable",
  "disk_full",
  "write_failed",
  "lock_busy",
  // backups
  "backup_name",
  "backup_label",
  "backup_missing",
  "backup_empty",
  "backup_too_large",
  "backup_busy",
  "archive_invalid",
  "restore_conflict",
  // providers
  "provider_config",
  "sdk_missing",
  "provider_unreachable",
  "provider_timeout",
  "provider_throttled",
  "provider_unavailable",
  "provider_denied",
  "provider_container_missing",
  "provider_error",
  "provider_unsupported",
  "object_missing",
  "precondition_failed",
  "content_mismatch",
  "key_invalid",
  "key_collision",
  // webhooks
  "webhook_url",
  "webhook_refused",
  "webhook_secret",
  "webhook_missing",
  "webhooks_malformed",
  // runs
  "run_in_progress",
  "delete_guard",
  "remote_manifest_invalid",
  "manifest_conflict",
  "aborted",
  "usage",
  "internal",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

export interface SyncErrorOptions {
  /** True when the same operation may succeed if it is repeated unchanged. Default false. */
  readonly retryable?: boolean;
  /** How long the far side asked us to wait before the repeat, milliseconds. */
  readonly retryAfterMs?: number;
  /** Counts and names that are safe to show: never a value of a request, a secret, or a remote payload. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/**
 * The one error type that crosses a room's border. `message` is for the user: it says what happened and what to do,
 * and holds no secret.
 */
export class SyncError extends Error {
  override readonly name = "SyncError";
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, options: SyncErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.retryAfterMs = options.retryAfterMs;
    this.details = options.details;
  }
}

/** `error` as a SyncError: itself, an abort as `aborted`, or an `internal` one that keeps it as cause and shows nothing of it. */
export function toSyncError(error: unknown): SyncError {
  if (error instanceof SyncError) return error;
  if (error instanceof DOMException && error.name === "AbortError") {
    return new SyncError("aborted", "the operation was cancelled", { cause: error });
  }
  return new SyncError("internal", "an unexpected error occurred; see logs/server.log", { cause: error });
}

/** Throws `aborted` when `signal` has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new SyncError("aborted", "the operation was cancelled", { cause: signal.reason });
}
