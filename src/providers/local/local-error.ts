import { type ErrorCode, SyncError } from "../../core/errors.ts";

interface Meaning {
  readonly code: ErrorCode;
  readonly retryable?: boolean;
}

const DENIED: Meaning = { code: "provider_denied" };
/** What a network mount answers while its server restarts or the cable is out. */
const PASSING: Meaning = { code: "provider_unavailable", retryable: true };
const BAD_NAME: Meaning = { code: "key_invalid" };
const IN_THE_WAY: Meaning = { code: "key_collision" };

const MEANINGS: Readonly<Record<string, Meaning>> = {
  EACCES: DENIED,
  EPERM: DENIED,
  EROFS: DENIED,
  EIO: PASSING,
  ESTALE: PASSING,
  ETIMEDOUT: PASSING,
  EHOSTDOWN: PASSING,
  EHOSTUNREACH: PASSING,
  ENETDOWN: PASSING,
  ENETUNREACH: PASSING,
  ENOTCONN: PASSING,
  ECONNRESET: PASSING,
  EAGAIN: PASSING,
  EBUSY: PASSING,
  EMFILE: PASSING,
  ENFILE: PASSING,
  ENAMETOOLONG: BAD_NAME,
  EILSEQ: BAD_NAME,
  EINVAL: BAD_NAME,
  EISDIR: IN_THE_WAY,
  ENOTDIR: IN_THE_WAY,
  EEXIST: IN_THE_WAY,
  ENOTEMPTY: IN_THE_WAY,
};

/** The `code` of the system error that a platform's SyncError has as its cause. */
export function systemCodeOf(error: unknown): string | undefined {
  if (!(error instanceof SyncError)) return undefined;
  const { cause } = error;
  if (typeof cause !== "object" || cause === null || !("code" in cause)) return undefined;
  return typeof cause.code === "string" ? cause.code : undefined;
}

/**
 * A platform's error about a file of the destination, told as a provider's: its codes would otherwise read as if
 * the user's own file were missing or unreadable. `disk_full`, `aborted` and the like stay as they are.
 */
export function destinationError(error: unknown): SyncError {
  if (!(error instanceof SyncError))
    return new SyncError("internal", "an unexpected error occurred; see logs/server.log", { cause: error });
  if (error.code !== "file_unreadable" && error.code !== "file_missing" && error.code !== "write_failed") return error;
  const { code, retryable = false } = MEANINGS[systemCodeOf(error) ?? ""] ?? { code: "provider_error" };
  return new SyncError(code, `at the destination: ${error.message}`, { retryable, cause: error });
}

/** Runs `call` on files of the destination. @throws what `destinationError` makes of its error */
export async function atDestination<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw destinationError(error);
  }
}
