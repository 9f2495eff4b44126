import { randomBytes, verify } from "node:crypto";
import { type Answer, jsonAnswer } from "./answer.ts";
import { DriveError } from "./drive-error.ts";
import { type DriveRequest, readBody } from "./drive-request.ts";
import type { FakeClock } from "./fake-clock.ts";
import type { ServiceAccount } from "./service-account.ts";

/** Who sends a request, and what it may do. */
export interface Session {
  readonly account: ServiceAccount;
  readonly scopes: ReadonlySet<string>;
}

const GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const AUDIENCES = ["https://oauth2.googleapis.com/token", "https://www.googleapis.com/oauth2/v4/token"];
const SCOPE_PREFIX = "https://www.googleapis.com/auth/";
const SCOPES = ["drive", "drive.file", "drive.readonly", "drive.metadata", "drive.metadata.readonly", "drive.appdata"];
const ASSERTION_SECONDS_MAX = 3600;
const SKEW_SECONDS_MAX = 300;

/** What the token endpoint refuses with: OAuth 2.0's shape and not the API's. */
class TokenRefused extends Error {
  constructor(
    readonly error: string,
    description: string,
    readonly status = 400,
  ) {
    super(description);
  }
}

/** The OAuth 2.0 token endpoint for service accounts: checks each assertion, hands out and remembers access tokens. */
export class TokenEndpoint {
  /** Seconds until a token that is handed out expires. */
  tokenLifeSeconds = 3599;
  /** Assertions that were refused, and why. */
  readonly refused: string[] = [];
  readonly #secrets: string[] = [];
  readonly #accounts = new Map<string, ServiceAccount>();
  readonly #tokens = new Map<string, { readonly session: Session; readonly expiresMs: number }>();

  constructor(private readonly clock: FakeClock) {}

  add(account: ServiceAccount): void {
    this.#accounts.set(account.email, account);
  }

  /** Lines of the accounts' private keys, and every assertion and token that ever was. */
  get secrets(): string[] {
    const keys = [...this.#accounts.values()].map(({ file }) => file.private_key.split("\n"));
    return [...keys.flat().filter((line) => line.length > 40), ...this.#secrets];
  }

  /** Every token that is out stops working. */
  revokeAll(): void {
    this.#tokens.clear();
  }

  /** Answers `POST /token`. */
  async answer(request: DriveRequest): Promise<Answer> {
    try {
      const type = request.headers.get("content-type")?.split(";")[0];
      const body = await readBody(request, 64 * 1024);
      if (type !== "application/x-www-form-urlencoded")
        throw new TokenRefused("invalid_request", "The body is not a form.");
      const form = new URLSearchParams(body.toString("utf8"));
      for (const name of form.keys())
        if (name !== "grant_type" && name !== "assertion")
          throw new TokenRefused("invalid_request", `Unknown parameter: ${name}`);
      if (form.get("grant_type") !== GRANT_TYPE) throw new TokenRefused("unsupported_grant_type", "Invalid grant_type");
      const assertion = form.get("assertion") ?? "";
      if (assertion !== "") this.#secrets.push(assertion);
      return this.#issue(this.#verify(assertion));
    } catch (error) {
      if (!(error instanceof TokenRefused)) throw error;
      this.refused.push(`${error.error}: ${error.message}`);
      return jsonAnswer({ error: error.error, error_description: error.message }, error.status);
    }
  }

  /** Whose token a request carries. @throws DriveError 401 */
  sessionOf(request: DriveRequest): Session {
    const authorization = request.headers.get("authorization");
    if (authorization === undefined)
      throw new DriveError(401, "required", "Login Required.", {
        location: "Authorization",
        locationType: "header",
        headers: { "www-authenticate": "Bearer" },
      });
    const token = /^Bearer (\S+)$/.exec(authorization)?.[1] ?? "";
    const known = this.#tokens.get(token);
    if (known === undefined || known.expiresMs <= this.clock.now()) throw invalidCredentials();
    return known.session;
  }

  #issue(session: Session): Answer {
    const token = `ya29.c.fake-${randomBytes(24).toString("base64url")}`;
    this.#secrets.push(token);
    this.#tokens.set(token, { session, expiresMs: this.clock.now() + this.tokenLifeSeconds * 1000 });
    return jsonAnswer({ access_token: token, expires_in: this.tokenLifeSeconds, token_type: "Bearer" });
  }

  #verify(assertion: string): Session {
    const [header = "", claims = "", signature = "", ...rest] = assertion.split(".");
    const { alg, kid } = decodePart(header);
    if (rest.length > 0 || alg !== "RS256") throw new TokenRefused("invalid_grant", "Invalid JWT: not signed by RS256");
    const { iss, scope, aud, iat, exp, sub } = decodePart(claims);
    const account = typeof iss === "string" ? this.#accounts.get(iss) : undefined;
    if (account === undefined) throw new TokenRefused("invalid_grant", "Invalid grant: account not found");
    if (kid !== undefined && kid !== account.file.private_key_id)
      throw new TokenRefused("invalid_grant", "Invalid JWT Signature.");
    const signed = Buffer.from(`${header}.${claims}`, "latin1");
    if (!verify("RSA-SHA256", signed, account.publicKey, Buffer.from(signature, "base64url")))
      throw new TokenRefused("invalid_grant", "Invalid JWT Signature.");
    if (typeof aud !== "string" || !AUDIENCES.includes(aud))
      throw new TokenRefused("invalid_grant", "Invalid JWT: Failed audience check.");
    this.#checkTimes(iat, exp);
    if (sub !== undefined && sub !== account.email)
      throw new TokenRefused("unauthorized_client", "Client is unauthorized to retrieve access tokens.", 401);
    return { account, scopes: readScopes(scope) };
  }

  #checkTimes(iat: unknown, exp: unknown): void {
    const nowSeconds = this.clock.now() / 1000;
    const inTime =
      typeof iat === "number" &&
      typeof exp === "number" &&
      exp > nowSeconds - SKEW_SECONDS_MAX &&
      iat < nowSeconds + SKEW_SECONDS_MAX &&
      exp > iat &&
      exp - iat <= ASSERTION_SECONDS_MAX;
    if (inTime) return;
    throw new TokenRefused(
      "invalid_grant",
      "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. " +
        "Check your iat and exp values in the JWT claim.",
    );
  }
}

export function invalidCredentials(): DriveError {
  return new DriveError(401, "authError", "Invalid Credentials", {
    location: "Authorization",
    locationType: "header",
    headers: { "www-authenticate": 'Bearer realm="https://accounts.google.com/", error="invalid_token"' },
  });
}

function readScopes(scope: unknown): Set<string> {
  const scopes = typeof scope === "string" ? scope.split(" ").filter((each) => each !== "") : [];
  const known = SCOPES.map((each) => SCOPE_PREFIX + each);
  if (scopes.length === 0 || scopes.some((each) => !known.includes(each)))
    throw new TokenRefused("invalid_scope", "Invalid OAuth scope or ID token audience provided.");
  return new Set(scopes.map((each) => each.slice(SCOPE_PREFIX.length)));
}

function decodePart(part: string): Record<string, unknown> {
  try {
    return JSON.parse(Buffer.from(part, "base64url").toString("utf8")) as Record<string, unknown>;
  } catch {
    throw new TokenRefused("invalid_grant", "Invalid JWT: it cannot be read.");
  }
}
