import type { Clock } from "../../core/clock.ts";
import { SyncError } from "../../core/errors.ts";
import { type NewHasher, sha256Hex } from "../../core/hash.ts";
import { Attempts } from "./attempts.ts";

/** What a header can carry unchanged. */
const TOKEN = /^[\x21-\x7e]+$/;

/** @throws SyncError `server_host_refused` for a token that no request could send */
export function checkTokenForm(token: string): void {
  if (TOKEN.test(token)) return;
  throw new SyncError(
    "server_host_refused",
    "COMFYVN_API_TOKEN must be printable ASCII without spaces, or no request could carry it; make one with: openssl rand -hex 32",
  );
}

/** The bearer token that every request must carry where others can reach the server. */
export class ApiToken {
  readonly #digest: (text: string) => string;
  readonly #expected: string;
  readonly #attempts: Attempts;

  constructor(token: string, newHasher: NewHasher, clock: Clock) {
    this.#digest = (text) => {
      return sha256Hex(newHasher, new TextEncoder().encode(text));
    };
    this.#expected = this.#digest(token);
    this.#attempts = new Attempts(clock);
  }

  /**
   * The right token always passes, however many wrong ones others have sent.
   * @throws SyncError `unauthorized`; `too_many_attempts` after many wrong ones
   */
  check(request: Request): void {
    const header = request.headers.get("authorization");
    const given = /^Bearer +([\x21-\x7e]+) *$/i.exec(header ?? "")?.[1] ?? "";
    if (equalInConstantTime(this.#digest(given), this.#expected)) return;
    // Who sends none guesses none, and has to hear that one is needed: a probe that never had one, say.
    const waitMs = header === null ? 0 : this.#attempts.fail();
    if (waitMs === 0) {
      throw new SyncError("unauthorized", "send the token of COMFYVN_API_TOKEN as Authorization: Bearer <token>");
    }
    throw new SyncError("too_many_attempts", "too many requests came without the right token; wait before the next", {
      retryAfterMs: waitMs,
    });
  }
}

/** Of digests, which have one length: no early exit tells how much of a guess was right. */
function equalInConstantTime(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}
