import { type ErrorCode, SyncError } from "../../core/errors.ts";

/** An answer of the store that is not the one hoped for. Holds nothing of its body but what is known to be harmless. */
export interface Refusal {
  /** HTTP status; 0 for an error inside an answer that was called a success. */
  readonly status: number;
  /** S3's error code when it is one of those this file knows. */
  readonly code: string | undefined;
  /** The region the bucket is in, when that is another one than the request was for. */
  readonly region?: string | undefined;
  readonly retryAfterMs?: number | undefined;
}

interface Row {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable?: boolean;
}

const DENIED = (message: string): Row => ({ code: "provider_denied", message });
const BUSY: Row = { code: "provider_throttled", message: "the store asks for fewer requests", retryable: true };
const UNAVAILABLE: Row = { code: "provider_unavailable", message: "the store has trouble of its own", retryable: true };
const DAMAGED: Row = {
  code: "content_mismatch",
  message: "the store received other bytes than were sent: they were damaged on their way",
  retryable: true,
};
const FULL: Row = { code: "disk_full", message: "the store has no room left; make room or raise the quota" };
const BAD_KEY: Row = { code: "key_invalid", message: "the store cannot hold this key" };
const RESTART: Row = {
  code: "provider_error",
  message: "the store has lost the multipart upload; it has to start anew",
  retryable: true,
};
const TOO_LARGE: Row = { code: "provider_unsupported", message: "the store takes no object or part of this size" };
const NOT_OFFERED: Row = { code: "provider_unsupported", message: "the store does not offer this operation" };
const ELSEWHERE: Row = { code: "provider_config", message: "the bucket is in another region" };

/** S3's error codes, also those of RGW and MinIO. A code that is not here is judged by the HTTP status. */
const BY_CODE: Readonly<Record<string, Row>> = {
  SlowDown: BUSY,
  SlowDownRead: BUSY,
  SlowDownWrite: BUSY,
  Throttling: BUSY,
  ThrottlingException: BUSY,
  RequestLimitExceeded: BUSY,
  RequestThrottled: BUSY,
  TooManyRequests: BUSY,
  ReducedRequestRate: BUSY,
  InternalError: UNAVAILABLE,
  ServiceUnavailable: UNAVAILABLE,
  OperationAborted: UNAVAILABLE,
  RequestTimeout: {
    code: "provider_timeout",
    message: "the store waited too long for the request's bytes",
    retryable: true,
  },
  IncompleteBody: { code: "provider_unreachable", message: "the request's bytes did not all arrive", retryable: true },

  AccessDenied: DENIED("the store refuses access: allow the key to get, put, delete and list in this bucket"),
  AllAccessDisabled: DENIED("the store has disabled access to this bucket"),
  AccountProblem: DENIED("the store's account has a problem; ask its provider"),
  InvalidAccessKeyId: DENIED("the store does not know aws_access_key_id; set the right one in the vault"),
  SignatureDoesNotMatch: DENIED("the store refuses the signature: aws_secret_access_key (or region) is wrong"),
  ExpiredToken: DENIED("aws_session_token has expired; set new credentials in the vault"),
  InvalidToken: DENIED("aws_session_token is not valid; set new credentials in the vault"),
  RequestTimeTooSkewed: DENIED("the clock of this machine is too far from the store's; set it right"),
  InvalidObjectState: {
    code: "provider_unsupported",
    message: "the object lies in an archive class; restore it there first",
  },

  NoSuchBucket: {
    code: "provider_container_missing",
    message: "the bucket does not exist; create it or correct the setting",
  },
  NoSuchKey: { code: "object_missing", message: "the object does not exist" },
  NoSuchUpload: RESTART,
  InvalidPart: RESTART,
  InvalidPartOrder: RESTART,

  PreconditionFailed: { code: "precondition_failed", message: "the object is not in the expected version" },
  ConditionalRequestConflict: {
    code: "precondition_failed",
    message: "another writer was at the object at the same time",
    retryable: true,
  },
  XAmzContentSHA256Mismatch: DAMAGED,
  XAmzContentChecksumMismatch: DAMAGED,
  BadDigest: DAMAGED,

  PermanentRedirect: ELSEWHERE,
  TemporaryRedirect: ELSEWHERE,
  Redirect: ELSEWHERE,
  AuthorizationHeaderMalformed: ELSEWHERE,
  IllegalLocationConstraintException: ELSEWHERE,
  InvalidBucketName: { code: "provider_config", message: "the store refuses the name of the bucket" },
  InvalidStorageClass: { code: "provider_config", message: "the store does not know the storage_class" },
  "KMS.NotFoundException": { code: "provider_config", message: "the store does not know sse_kms_key_id" },
  "KMS.DisabledException": { code: "provider_config", message: "the key of sse_kms_key_id is disabled" },
  ServerSideEncryptionConfigurationNotFoundError: {
    code: "provider_config",
    message: "the store cannot encrypt as sse asks",
  },

  KeyTooLongError: BAD_KEY,
  InvalidObjectName: BAD_KEY,
  XMinioInvalidObjectName: BAD_KEY,
  EntityTooLarge: TOO_LARGE,
  EntityTooSmall: TOO_LARGE,
  QuotaExceeded: FULL,
  XMinioStorageFull: FULL,
  NotImplemented: NOT_OFFERED,
  MethodNotAllowed: NOT_OFFERED,

  InvalidRange: { code: "provider_error", message: "the range lies outside of the object" },
  InvalidArgument: {
    code: "provider_error",
    message: "the store refuses an argument; storage_class and sse must be ones it offers",
  },
  InvalidRequest: {
    code: "provider_error",
    message: "the store refuses the request; storage_class and sse must be ones it offers",
  },
  MissingContentLength: {
    code: "provider_error",
    message: "the store received no content length; is a proxy in between?",
  },
  MalformedXML: { code: "provider_error", message: "the store cannot read the request" },
};

/** The refusal in an answer to a request for `region`. Only known codes and plausible regions are taken out of it. */
export function readRefusal(status: number, headers: Headers, body: Uint8Array, region: string, now: number): Refusal {
  const text = new TextDecoder().decode(body);
  const code = /<Code>([A-Za-z0-9.]{1,64})<\/Code>/.exec(text)?.[1];
  const bucketRegion = headers.get("x-amz-bucket-region") ?? /<Region>([a-z0-9-]{1,40})<\/Region>/.exec(text)?.[1];
  return {
    status,
    code: isKnown(code) ? code : undefined,
    region:
      bucketRegion !== undefined && bucketRegion !== region && REGION.test(bucketRegion) ? bucketRegion : undefined,
    retryAfterMs: readRetryAfter(headers.get("retry-after"), now),
  };
}

const REGION = /^[a-z]{2,10}(-[a-z]{1,12}){1,3}(-\d{1,2})?$/;

/** The refusal that an `Errors` entry of DeleteObjects or an `<Error>` inside a success stands for. */
export function refusalOfCode(code: string | undefined): Refusal {
  return { status: 0, code: isKnown(code) ? code : undefined };
}

function isKnown(code: string | undefined): code is string {
  return code !== undefined && Object.hasOwn(BY_CODE, code);
}

/** Seconds or a date, as milliseconds from now. */
function readRetryAfter(value: string | null, now: number): number | undefined {
  if (value === null) return undefined;
  if (/^\d{1,6}$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** `refusal` for the user. `details` are {status, s3_code}. */
export function refusalError(refusal: Refusal): SyncError {
  const row = rowOf(refusal);
  const { status, code, region, retryAfterMs } = refusal;
  const where = row === ELSEWHERE && region !== undefined ? `; set region to ${region}` : "";
  const hint = row === ELSEWHERE && region === undefined ? "; set region and endpoint_url to where it is" : "";
  return new SyncError(row.code, `${row.message}${where}${hint}`, {
    retryable: row.retryable ?? false,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    details: { ...(status === 0 ? {} : { status }), ...(code === undefined ? {} : { s3_code: code }) },
  });
}

function rowOf({ status, code, region }: Refusal): Row {
  const byCode = code === undefined ? undefined : BY_CODE[code];
  // AWS answers HEAD of a bucket elsewhere with a bare 400 or 301 that names the region in a header.
  if (byCode === undefined && region !== undefined && (status === 400 || status === 301 || status === 307))
    return ELSEWHERE;
  return byCode ?? rowOfStatus(status);
}

function rowOfStatus(status: number): Row {
  if (status >= 300 && status < 400)
    return {
      code: "provider_config",
      message: "the store redirects elsewhere; set region and endpoint_url to where the bucket is",
    };
  if (status === 401) return DENIED("the store refuses the credentials; set the right ones in the vault");
  if (status === 403)
    return DENIED("the store refuses access: check the credentials and what the key is allowed to do in this bucket");
  if (status === 404) return { code: "object_missing", message: "the object does not exist" };
  if (status === 405 || status === 501) return NOT_OFFERED;
  if (status === 408)
    return { code: "provider_timeout", message: "the store waited too long for the request", retryable: true };
  if (status === 412) return { code: "precondition_failed", message: "the object is not in the expected version" };
  if (status === 413) return TOO_LARGE;
  if (status === 429) return BUSY;
  if (status === 507) return FULL;
  if (status >= 500 && status !== 505) return UNAVAILABLE;
  return {
    code: "provider_error",
    message:
      status === 0
        ? "the store reports an error of its own kind"
        : `the store refused the request with status ${status}`,
  };
}

/** Status and S3 code of an error that a refusal became; both undefined for any other error. */
export function refusalIn(error: unknown): { readonly status?: unknown; readonly s3_code?: unknown } {
  return error instanceof SyncError ? (error.details ?? {}) : {};
}
