import { type Answer, htmlAnswer } from "./answer.ts";
import { DriveError } from "./drive-error.ts";
import { type DriveFault, refusal } from "./drive-faults.ts";
import type { DriveRequest } from "./drive-request.ts";
import { invalidCredentials } from "./tokens.ts";

/** How a connection ends instead of an answer. */
export type Ending =
  | { readonly end: "reset" | "hang" }
  /** After half of the answer's body. */
  | { readonly end: "cut"; readonly answer: Answer; readonly how: "close" | "reset" };

/** What a fault answers instead of the method; undefined when the method goes on. */
export async function playBefore(fault: DriveFault, request: DriveRequest): Promise<Answer | Ending | undefined> {
  if ("when" in fault && fault.when === "after") return undefined;
  switch (fault.kind) {
    case "refusal":
    case "too_many_requests":
    case "server_error":
    case "html":
    case "token_revoked":
      await drain(request);
      return faultAnswer(fault);
    case "reset":
      if (fault.when === "in_body") request.breakInBody();
      return fault.when === "before" ? { end: "reset" } : undefined;
    case "hang":
      return { end: "hang" };
    case "truncate_download":
    case "corrupt_download":
    case "corrupt_upload":
    case "keep_less":
    case "session_lost":
    case "short_page":
    case "incomplete_search":
    case "meanwhile":
      return undefined;
  }
}

/** What becomes of the answer of a method that a fault let go on. */
export function playAfter(fault: DriveFault, answer: Answer): Answer | Ending {
  switch (fault.kind) {
    case "refusal":
    case "server_error":
      return faultAnswer(fault);
    case "reset":
      return { end: "reset" };
    case "hang":
      return { end: "hang" };
    case "truncate_download":
      return { end: "cut", answer, how: fault.how };
    case "too_many_requests":
    case "html":
    case "token_revoked":
    case "corrupt_download":
    case "corrupt_upload":
    case "keep_less":
    case "session_lost":
    case "short_page":
    case "incomplete_search":
    case "meanwhile":
      return answer;
  }
}

type AnsweringFault = Extract<
  DriveFault,
  { readonly kind: "refusal" | "too_many_requests" | "server_error" | "html" | "token_revoked" }
>;

function faultAnswer(fault: AnsweringFault): Answer {
  switch (fault.kind) {
    case "refusal":
      return refusal(fault.reason).toAnswer();
    case "too_many_requests": {
      const headers = fault.retryAfterSeconds === undefined ? {} : { "retry-after": String(fault.retryAfterSeconds) };
      return new DriveError(429, "rateLimitExceeded", "Too Many Requests", {
        domain: "usageLimits",
        headers,
      }).toAnswer();
    }
    case "server_error":
      if (fault.body === "html") return htmlAnswer(fault.status);
      return new DriveError(fault.status, "backendError", "Internal Error").toAnswer();
    case "html":
      return htmlAnswer(fault.status);
    case "token_revoked":
      return invalidCredentials().toAnswer();
  }
}

async function drain(request: DriveRequest): Promise<void> {
  for await (const _ of request.pieces());
}
