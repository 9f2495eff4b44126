import { type ErrorCode, SyncError } from "../../core/errors.ts";
import { isJsonObject } from "../../core/json.ts";

/** What a refusal keeps from being tried again by this provider: content, or anything at all. */
export type Stops = "content" | "all";

interface Row {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable?: boolean;
  readonly stops?: Stops;
}

const BUSY: Row = { code: "provider_throttled", message: "Drive asks for fewer requests", retryable: true };
const UNAVAILABLE: Row = { code: "provider_unavailable", message: "Drive has trouble of its own", retryable: true };
const FULL = (message: string): Row => ({ code: "disk_full", message, stops: "content" });
const DENIED = (message: string): Row => ({ code: "provider_denied", message });

/** Drive's reasons. One that is not here is judged by the HTTP status. */
const BY_REASON: Readonly<Record<string, Row>> = {
  rateLimitExceeded: BUSY,
  userRateLimitExceeded: BUSY,
  backendError: UNAVAILABLE,
  internalError: UNAVAILABLE,
  transientError: UNAVAILABLE,

  dailyLimitExceeded: {
    ...DENIED(
      "the Google Cloud project has used up its requests to Drive for today; go on tomorrow or raise its quota",
    ),
    stops: "all",
  },
  storageQuotaExceeded: FULL(
    "the account has no room left in Drive. A service account owns none of its own: keep the folder in a shared drive",
  ),
  quotaExceeded: FULL("a quota of the Drive is used up; make room or raise it"),
  teamDriveFileLimitExceeded: FULL("the shared drive holds as many files as it may; delete some or use another one"),
  numChildrenInNonRootLimitExceeded: FULL("the Drive folder holds as many files as it may; use another folder"),
  teamDriveHierarchyTooDeep: FULL("the Drive folder lies too deep in its shared drive; use one further up"),

  authError: DENIED("Drive refuses the service account's token"),
  required: DENIED("Drive refuses the service account's token"),
  insufficientPermissions: DENIED("the token's scopes do not allow this; set scopes to drive"),
  insufficientFilePermissions: DENIED(
    "the service account may not do this here; make it a content manager of the shared drive, or an editor of the folder",
  ),
  appNotAuthorizedToFile: DENIED(
    "the file was not made by this account, and scopes is drive.file; set scopes to drive",
  ),
  accessNotConfigured: DENIED("the Google Drive API is not enabled in the service account's project; enable it there"),
  domainPolicy: DENIED("the organisation's policy does not allow this app to use Drive"),
  cannotDownloadAbusiveFile: DENIED("Drive takes this file for malware or spam and does not give it out"),
  parentNotAFolder: { code: "provider_container_missing", message: "the Drive folder of the settings is not a folder" },
  notFound: { code: "object_missing", message: "the file does not exist in Drive" },
};

/** An answer that is not the one hoped for. Holds nothing of its body but a reason that is known to be harmless. */
export interface Refusal {
  readonly status: number;
  /** Drive's word for it, when this file knows it. */
  readonly reason: string | undefined;
  readonly retryAfterMs?: number | undefined;
}

export function readRefusal(status: number, headers: Headers, body: Uint8Array, now: number): Refusal {
  const reason = reasonIn(body);
  return {
    status,
    reason: reason !== undefined && Object.hasOwn(BY_REASON, reason) ? reason : undefined,
    retryAfterMs: readRetryAfter(headers.get("retry-after"), now),
  };
}

/** Of `{"error": {"errors": [{"reason": …}]}}`; anything else, such as a page of HTML, has none. */
function reasonIn(body: Uint8Array): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
  const error = isJsonObject(value) ? value["error"] : undefined;
  const errors = isJsonObject(error) ? error["errors"] : undefined;
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
  const reason = isJsonObject(first) ? first["reason"] : undefined;
  return typeof reason === "string" ? reason : undefined;
}

/** Seconds or a date, as milliseconds from now. */
function readRetryAfter(value: string | null, now: number): number | undefined {
  if (value === null) return undefined;
  if (/^\d{1,6}$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** `refusal` for the user. `details` are {status, reason}. */
export function refusalError(refusal: Refusal): SyncError {
  const { status, reason, retryAfterMs } = refusal;
  const { code, message, retryable = false } = rowOf(refusal);
  return new SyncError(code, message, {
    retryable,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    details: { status, ...(reason === undefined ? {} : { reason }) },
  });
}

/** Whether others of this provider need not be tried after `refusal`. */
export function stopsOthers(refusal: Refusal): Stops | undefined {
  return rowOf(refusal).stops;
}

/** The HTTP status behind `error`; undefined when it is no answer of Drive's. */
export function statusOf(error: unknown): number | undefined {
  const status = error instanceof SyncError ? error.details?.["status"] : undefined;
  return typeof status === "number" ? status : undefined;
}

export function reasonOf(error: unknown): string | undefined {
  const reason = error instanceof SyncError ? error.details?.["reason"] : undefined;
  return typeof reason === "string" ? reason : undefined;
}

function rowOf({ status, reason }: Refusal): Row {
  return (reason === undefined ? undefined : BY_REASON[reason]) ?? rowOfStatus(status);
}

function rowOfStatus(status: number): Row {
  if (status === 401) return DENIED("Drive refuses the service account's token");
  if (status === 403)
    return DENIED("Drive refuses this to the service account; share the folder with it as content manager");
  if (status === 404 || status === 410) return { code: "object_missing", message: "the file does not exist in Drive" };
  if (status === 408)
    return { code: "provider_timeout", message: "Drive waited too long for the request", retryable: true };
  if (status === 429) return BUSY;
  if (status === 501) return { code: "provider_unsupported", message: "Drive does not offer this operation" };
  if (status >= 500) return UNAVAILABLE;
  if (status >= 300 && status < 400)
    return { code: "provider_error", message: "Drive sends elsewhere; is a proxy in between?" };
  return { code: "provider_error", message: `Drive refuses the request (HTTP ${status})` };
}
