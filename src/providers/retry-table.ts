import type { ErrorCode, SyncError } from "../core/errors.ts";

/**
 * `always`: the code means a passing trouble. `when_flagged`: the provider knows, and says so by `retryable` on the
 * error. `never`: a repeat gives the same answer or does harm, whatever the flag says.
 */
export type RetryRule = "always" | "when_flagged" | "never";

export interface RetryRow {
  readonly code: ErrorCode;
  readonly retry: RetryRule;
  readonly why: string;
}

/** Every code a provider may throw, and whether the call is repeated. A code that is not here is never repeated. */
export const RETRY_TABLE: readonly RetryRow[] = [
  {
    code: "provider_unreachable",
    retry: "always",
    why: "no name, no route, connection refused or reset: networks come back",
  },
  {
    code: "provider_timeout",
    retry: "always",
    why: "no answer in time, S3 RequestTimeout: the next connection may be fine",
  },
  {
    code: "provider_throttled",
    retry: "always",
    why: "429, S3 SlowDown, Drive 403 rateLimitExceeded and userRateLimitExceeded ask for a later repeat",
  },
  {
    code: "provider_unavailable",
    retry: "always",
    why: "500, 502, 503, 504: the far side's own trouble, usually short",
  },
  { code: "lock_busy", retry: "always", why: "another process writes to the destination and will finish" },

  {
    code: "provider_error",
    retry: "when_flagged",
    why: "an answer broken on its way (cut short, not parseable) may be whole next time; an unknown refusal is final",
  },
  {
    code: "provider_denied",
    retry: "when_flagged",
    why: "final, except a request refused for its clock or token after the provider has corrected them",
  },
  {
    code: "precondition_failed",
    retry: "when_flagged",
    why: "final, except S3 409 ConditionalRequestConflict: two writers met and neither was judged",
  },
  {
    code: "content_mismatch",
    retry: "when_flagged",
    why: "final when the source is not what was hashed; repeated when the bytes were damaged on their way",
  },

  { code: "object_missing", retry: "never", why: "the object is not there" },
  { code: "key_invalid", retry: "never", why: "the store cannot hold this key" },
  { code: "key_collision", retry: "never", why: "another object is in the way" },
  {
    code: "provider_container_missing",
    retry: "never",
    why: "somebody has to create the bucket, share the folder or mount the disk",
  },
  { code: "provider_config", retry: "never", why: "a setting has to change" },
  { code: "provider_unsupported", retry: "never", why: "the store cannot do this" },
  { code: "credentials_missing", retry: "never", why: "the vault has to be filled" },
  { code: "sdk_missing", retry: "never", why: "a package has to be installed" },
  { code: "file_changed", retry: "never", why: "the source is no longer what was hashed; the next run takes it" },
  { code: "file_missing", retry: "never", why: "the source is gone; the next run notices" },
  { code: "file_unreadable", retry: "never", why: "the source cannot be read" },
  {
    code: "disk_full",
    retry: "never",
    why: "somebody has to make room; Drive storageQuotaExceeded and its like as well",
  },
  { code: "write_failed", retry: "never", why: "the destination's disk refused the bytes" },
  { code: "bad_request", retry: "never", why: "the caller asked for something that has no meaning" },
  { code: "aborted", retry: "never", why: "the user wants it to end" },
  { code: "internal", retry: "never", why: "a defect of ours; a repeat would hide it" },
];

const RULES: ReadonlyMap<ErrorCode, RetryRule> = new Map(RETRY_TABLE.map((row) => [row.code, row.retry]));

/** The rule for `code`; undefined when no provider may throw it. */
export function retryRule(code: ErrorCode): RetryRule | undefined {
  return RULES.get(code);
}

/** True when the call that ended with `error` may be repeated. */
export function mayRetry(error: SyncError): boolean {
  const rule = RULES.get(error.code);
  return rule === "always" || (rule === "when_flagged" && error.retryable);
}

/** Codes after which nobody knows whether the far side applied the call. */
const OUTCOME_UNKNOWN: ReadonlySet<ErrorCode> = new Set([
  "provider_unreachable",
  "provider_timeout",
  "provider_unavailable",
  "provider_error",
]);

/** True when the call that ended with `error` may have been applied all the same (its answer was lost). */
export function outcomeUnknown(error: SyncError): boolean {
  return OUTCOME_UNKNOWN.has(error.code);
}
