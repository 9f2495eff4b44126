import type { RequestClass } from "./s3-request.ts";

/** What happens to one request. */
export type Fault =
  /** The connection is reset as the request's head arrives: the store sees nothing of it. */
  | { readonly kind: "reset_before" }
  /** Half of the request's body goes to the store, then both connections are reset. */
  | { readonly kind: "reset_in_body" }
  /** The store has answered, and the client never learns what. */
  | { readonly kind: "reset_after" }
  | { readonly kind: "delay"; readonly ms: number }
  /** The store has answered; nothing reaches the client, whose connection stays open. */
  | { readonly kind: "stall" }
  /** Half of the answer's body, then an orderly end of the connection. */
  | { readonly kind: "truncate" }
  /** The store sees nothing; the client gets this answer. */
  | { readonly kind: "answer"; readonly answer: CannedAnswer }
  /** All connections are reset, and new ones refused for so long. */
  | { readonly kind: "refuse"; readonly ms: number };

export type CannedAnswer = keyof typeof CANNED_ANSWERS;

const S3_ERROR = (code: string) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>scripted</Message></Error>`;
const HTML = "<!doctype html><html><head><title>Welcome</title></head><body><p>Please log in.<p></body></html>";

export const CANNED_ANSWERS = {
  slow_down: { status: 503, headers: {}, type: "application/xml", body: S3_ERROR("SlowDown") },
  slow_down_for_a_second: {
    status: 503,
    headers: { "retry-after": "1" },
    type: "application/xml",
    body: S3_ERROR("SlowDown"),
  },
  internal_error: { status: 500, headers: {}, type: "application/xml", body: S3_ERROR("InternalError") },
  too_many_requests: { status: 429, headers: {}, type: "text/plain", body: "slow down" },
  bad_gateway_page: { status: 502, headers: {}, type: "text/html", body: HTML },
  login_page: { status: 200, headers: {}, type: "text/html", body: HTML },
} as const satisfies Record<string, { status: number; headers: Record<string, string>; type: string; body: string }>;

/** `fault` meets the `nth` request of a class, counted from 1 over the life of the script. */
export interface ScriptedFault {
  readonly on: RequestClass;
  readonly nth: number;
  readonly fault: Fault;
}

/** `reset_after on control_put 3`. */
export function faultName({ on, nth, fault }: ScriptedFault): string {
  return `${faultKind(fault)} on ${on} ${nth}`;
}

/** The kind of a fault, canned answers by their name. */
export function faultKind(fault: Fault): string {
  return fault.kind === "answer" ? fault.answer : fault.kind;
}

/** Faults and which of them have fired. A run that leaves some proves less than it says: its test fails. */
export class FaultScript {
  readonly fired: ScriptedFault[] = [];
  readonly #left: ScriptedFault[];
  readonly #seen = new Map<RequestClass, number>();

  constructor(faults: readonly ScriptedFault[] = []) {
    this.#left = [...faults];
  }

  /** The faults that no request has met yet. */
  get left(): readonly ScriptedFault[] {
    return this.#left;
  }

  /** Counts a request; the fault it meets, if any. */
  meet(requestClass: RequestClass): Fault | undefined {
    const nth = (this.#seen.get(requestClass) ?? 0) + 1;
    this.#seen.set(requestClass, nth);
    const at = this.#left.findIndex((scripted) => scripted.on === requestClass && scripted.nth === nth);
    if (at < 0) return undefined;
    const [met] = this.#left.splice(at, 1);
    if (met !== undefined) this.fired.push(met);
    return met?.fault;
  }
}
