import { type ErrorCode, type SyncError, toSyncError } from "../core/errors.ts";
import { SECURITY_HEADERS } from "./security/response-headers.ts";

/** Each code's HTTP status: the one place where errors become HTTP. */
export const PROBLEM_STATUS: Readonly<Record<ErrorCode, number>> = {
  bad_request: 400,
  bad_path: 400,
  bad_pattern: 400,
  bad_snapshot: 400,
  protected_setting: 400,
  schema: 422,
  unsupported_media_type: 415,
  body_too_large: 413,
  request_timeout: 408,
  not_found: 404,
  method_not_allowed: 405,
  forbidden_host: 403,
  forbidden_origin: 403,
  unauthorized: 401,
  too_many_attempts: 429,
  server_busy: 503,
  upgrade_required: 426,
  feature_disabled: 403,
  config_malformed: 503,
  config_invalid: 503,
  root_missing: 503,
  server_host_refused: 503,
  port_in_use: 503,
  vault_missing: 423,
  vault_locked: 423,
  vault_wrong_passphrase: 423,
  vault_malformed: 423,
  vault_unsupported: 423,
  vault_exists: 409,
  vault_busy: 423,
  vault_backup_missing: 404,
  vault_rekey_drops: 409,
  vault_too_large: 423,
  vault_path: 400,
  credentials_missing: 400,
  manifest_malformed: 503,
  manifest_checksum: 503,
  file_changed: 409,
  file_missing: 404,
  file_unreadable: 503,
  disk_full: 503,
  write_failed: 503,
  lock_busy: 503,
  backup_name: 400,
  backup_label: 400,
  backup_missing: 404,
  backup_empty: 409,
  backup_busy: 409,
  archive_invalid: 422,
  restore_conflict: 409,
  provider_config: 400,
  sdk_missing: 502,
  provider_unreachable: 502,
  provider_timeout: 502,
  provider_throttled: 502,
  provider_unavailable: 502,
  provider_denied: 502,
  provider_container_missing: 502,
  provider_error: 502,
  provider_unsupported: 502,
  object_missing: 502,
  precondition_failed: 409,
  content_mismatch: 502,
  key_invalid: 400,
  key_collision: 409,
  webhook_url: 400,
  webhook_refused: 400,
  webhook_secret: 400,
  webhook_missing: 404,
  webhooks_malformed: 503,
  run_in_progress: 409,
  delete_guard: 409,
  remote_manifest_invalid: 502,
  manifest_conflict: 409,
  aborted: 503,
  usage: 400,
  internal: 500,
};

export const PROBLEM_TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  423: "Locked",
  426: "Upgrade Required",
  429: "Too Many Requests",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
};

/** An error as RFC 9457 problem+json. Holds the error's own words and counts, nothing of the request. */
export function problemResponse(thrown: unknown): Response {
  const error: SyncError = toSyncError(thrown);
  const status = PROBLEM_STATUS[error.code];
  const body = {
    ...error.details,
    type: `urn:comfyvn:problem:${error.code}`,
    title: PROBLEM_TITLES[status] ?? "Error",
    status,
    detail: error.message,
    code: error.code,
  };
  return new Response(JSON.stringify(body), { status, headers: { ...SECURITY_HEADERS, ...headersOf(error) } });
}

function headersOf(error: SyncError): Record<string, string> {
  const { retryAfterMs, details } = error;
  const allow = details?.["allow"];
  return {
    "content-type": "application/problem+json",
    ...(retryAfterMs === undefined ? {} : { "retry-after": String(Math.max(1, Math.ceil(retryAfterMs / 1000))) }),
    ...(Array.isArray(allow) ? { allow: allow.join(", ") } : {}),
    ...(error.code === "upgrade_required" ? { upgrade: "websocket" } : {}),
    ...(error.code === "unauthorized" ? { "www-authenticate": 'Bearer realm="comfyvn-cloud-sync"' } : {}),
  };
}
