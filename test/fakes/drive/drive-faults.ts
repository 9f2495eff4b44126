import { DriveError } from "./drive-error.ts";
import type { RouteName } from "./route-name.ts";

/** Why Drive refuses a request that is in order. Status and message as its page "Resolve errors" has them. */
export const REFUSALS = {
  userRateLimitExceeded: [403, "usageLimits", "User Rate Limit Exceeded. Rate of requests for user exceed configured"],
  rateLimitExceeded: [403, "usageLimits", "Rate Limit Exceeded"],
  dailyLimitExceeded: [403, "usageLimits", "Daily Limit Exceeded"],
  quotaExceeded: [403, "usageLimits", "The user has exceeded their Drive storage quota"],
  storageQuotaExceeded: [403, "global", "The user's Drive storage quota has been exceeded."],
  teamDriveFileLimitExceeded: [403, "global", "The file limit for this shared drive has been exceeded."],
  numChildrenInNonRootLimitExceeded: [
    403,
    "global",
    "The limit for this folder's number of children has been exceeded.",
  ],
  activeItemCreationLimitExceeded: [403, "global", "This account has exceeded the creation limit."],
  insufficientFilePermissions: [403, "global", "The user does not have sufficient permissions for this file."],
  domainPolicy: [403, "global", "The domain administrators have disabled Drive apps."],
  sharingRateLimitExceeded: [403, "global", 'Rate limit exceeded. User message: "These item(s) could not be shared"'],
  backendError: [500, "global", "Internal Error"],
} as const satisfies Record<string, readonly [number, string, string]>;

export type RefusalReason = keyof typeof REFUSALS;

/** What happens to one request. `before`: nothing was applied; `after`: all of it was, and the client is not told. */
export type DriveFault =
  | { readonly kind: "refusal"; readonly reason: RefusalReason; readonly when?: "before" | "after" }
  /** 429 rateLimitExceeded. */
  | { readonly kind: "too_many_requests"; readonly retryAfterSeconds?: number }
  | {
      readonly kind: "server_error";
      readonly status: 500 | 502 | 503 | 504;
      readonly when: "before" | "after";
      readonly body: "json" | "html";
    }
  /** A page of a proxy or balancer instead of the API's answer. */
  | { readonly kind: "html"; readonly status: number }
  /** The connection is reset: before the body is read, in the middle of it, or when all is applied. */
  | { readonly kind: "reset"; readonly when: "before" | "in_body" | "after" }
  /** No answer ever; the connection stays open. */
  | { readonly kind: "hang"; readonly when: "before" | "after" }
  /** The token of the request, and every other one, stops working with this request. */
  | { readonly kind: "token_revoked" }
  /** Half of a download, then the connection ends, in an orderly way or not. */
  | { readonly kind: "truncate_download"; readonly how: "close" | "reset" }
  /** One byte of a download is another. */
  | { readonly kind: "corrupt_download" }
  /** One byte of an upload is another when it arrives: its checksums are those of the wrong bytes. */
  | { readonly kind: "corrupt_upload" }
  /** Of a chunk no more than so many bytes are kept, in multiples of 256 KiB; 0 leaves the Range away. */
  | { readonly kind: "keep_less"; readonly bytes: number }
  /** The upload session is gone. */
  | { readonly kind: "session_lost"; readonly status: 404 | 410 }
  /** A page with so many files, 0 included, and a token for the rest. */
  | { readonly kind: "short_page"; readonly files: number }
  | { readonly kind: "incomplete_search" }
  /** Something else happens first: the place for another writer. */
  | { readonly kind: "meanwhile"; readonly act: () => void | Promise<void> };

/** Which requests: one route, every one of Drive's API, every listing or every one that changes something. */
export type FaultTarget = RouteName | "any" | "write";

/** `fault` meets the `nth` request of a target, counted from 1 over the life of the script, and `times - 1` more. */
export interface ScriptedDriveFault {
  readonly on: FaultTarget;
  readonly nth: number;
  readonly times?: number;
  readonly fault: DriveFault;
}

/** Faults and which of them have fired. A run that leaves some proves less than it says: `assertAllFired` fails it. */
export class DriveFaultScript {
  readonly fired: string[] = [];
  readonly #left: { readonly scripted: ScriptedDriveFault; left: number }[] = [];
  readonly #seen = new Map<FaultTarget, number>();

  constructor(faults: readonly ScriptedDriveFault[] = []) {
    for (const scripted of faults) this.#left.push({ scripted, left: scripted.times ?? 1 });
  }

  /** Counts a request under every target that it is one of; the fault it meets, if any. */
  meet(targets: readonly FaultTarget[]): DriveFault | undefined {
    const counts = new Map(targets.map((target) => [target, (this.#seen.get(target) ?? 0) + 1]));
    for (const [target, count] of counts) this.#seen.set(target, count);
    const met = this.#left.find(({ scripted, left }) => {
      const count = counts.get(scripted.on);
      return left > 0 && count !== undefined && count >= scripted.nth;
    });
    if (met === undefined) return undefined;
    met.left--;
    this.fired.push(driveFaultName(met.scripted));
    return met.scripted.fault;
  }

  /** Names of faults that did not meet all the requests they were for. */
  get left(): string[] {
    return this.#left.filter(({ left }) => left > 0).map(({ scripted }) => driveFaultName(scripted));
  }

  /** @throws Error that names what never happened */
  assertAllFired(): void {
    if (this.left.length > 0) throw new Error(`scripted faults that never happened: ${this.left.join("; ")}`);
  }
}

/** `server_error after on files.create.multipart 2`. */
function driveFaultName({ on, nth, fault }: ScriptedDriveFault): string {
  const details = Object.entries(fault).flatMap(([key, value]) =>
    key !== "kind" && typeof value !== "function" ? [String(value)] : [],
  );
  return `${[fault.kind, ...details].join(" ")} on ${on} ${nth}`;
}

/** A refusal as an error. */
export function refusal(reason: RefusalReason): DriveError {
  const [status, domain, message] = REFUSALS[reason];
  return new DriveError(status, reason, message, { domain });
}
