import { SyncError, throwIfAborted } from "../../core/errors.ts";
import { orAborted } from "../transfer/or-aborted.ts";
import { isJsonObject } from "../../core/json.ts";
import { base64 } from "../transfer/content.ts";
import { exchange, type HttpAnswer } from "../transfer/http.ts";
import { WORDS } from "./connection-words.ts";
import { type DriveEndpoints, TOKEN_AUDIENCE } from "./endpoints.ts";
import { readRefusal, refusalError } from "./refusal.ts";
import type { DriveSettings, ServiceAccount } from "./settings.ts";

const LIFETIME_S = 3600;
/** A token is not used when it ends within so long. */
const SPARE_MS = 60_000;
const ANSWER_MS = 30_000;
const ANSWER_BYTES_MAX = 64 * 1024;
/** Google takes assertions that are five minutes off; less than this is no reason to distrust our own clock. */
const SKEW_MS_MIN = 2 * 60_000;

interface Token {
  readonly value: string;
  readonly endsAtMs: number;
}

/** Access tokens of one service account: signed for, asked for, kept until they end. The key never leaves the signing. */
export class AccessTokens {
  readonly #settings: DriveSettings;
  readonly #endpoints: DriveEndpoints;
  #key: Promise<CryptoKey> | undefined;
  #token: Token | undefined;
  #asking: Promise<Token> | undefined;
  /** Google's clock less ours, milliseconds. */
  #clockOffsetMs = 0;

  constructor(settings: DriveSettings, endpoints: DriveEndpoints) {
    this.#settings = settings;
    this.#endpoints = endpoints;
  }

  /**
   * @throws SyncError `provider_config` for a key that is none, `provider_denied` when Google does not take it, what goes
   * wrong on the way (http.ts), `aborted`
   */
  async get(signal: AbortSignal | undefined): Promise<string> {
    throwIfAborted(signal);
    if (this.#token !== undefined && Date.now() < this.#token.endsAtMs - SPARE_MS) return this.#token.value;
    // Whoever waits shares one request; it is nobody's own, so that an abort ends the waiting and not the request.
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    this.#token = await orAborted(this.#asking, signal);
    return this.#token.value;
  }

  /** Drive refuses `token` before its time. */
  forget(token: string): void {
    if (this.#token?.value === token) this.#token = undefined;
  }

  async #ask(): Promise<Token> {
    const first = await this.#request();
    const skewMs = skewOf(first, this.#clockOffsetMs);
    if (first.status === 200 || skewMs === undefined) return await readToken(first);
    await first.readBytes(ANSWER_BYTES_MAX);
    this.#clockOffsetMs = skewMs;
    return await readToken(await this.#request());
  }

  async #request(): Promise<HttpAnswer> {
    const assertion = await this.#assertion(Math.floor((Date.now() + this.#clockOffsetMs) / 1000));
    const form = new URLSearchParams({ grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion });
    return await exchange({
      method: "POST",
      url: this.#endpoints.tokenUrl,
      headers: { "content-type": "application/x-www-form-urlencoded", "user-agent": "comfyvn-cloud-sync" },
      body: new TextEncoder().encode(form.toString()),
      answerMs: ANSWER_MS,
      idleMs: ANSWER_MS,
      words: WORDS,
    });
  }

  /** A JWT by RFC 7523, signed with RS256. */
  async #assertion(nowS: number): Promise<string> {
    const { account, scopes } = this.#settings;
    const { clientEmail, privateKeyId } = account;
    const header = { alg: "RS256", typ: "JWT", ...(privateKeyId === undefined ? {} : { kid: privateKeyId }) };
    const claims = {
      iss: clientEmail,
      scope: scopes.join(" "),
      aud: TOKEN_AUDIENCE,
      iat: nowS,
      exp: nowS + LIFETIME_S,
    };
    const text = `${jsonPart(header)}.${jsonPart(claims)}`;
    this.#key ??= importKey(account);
    const signature = await crypto.subtle.sign("RSASSA-PKCS1-v1_5", await this.#key, new TextEncoder().encode(text));
    return `${text}.${base64Url(new Uint8Array(signature))}`;
  }
}

async function readToken(answer: HttpAnswer): Promise<Token> {
  const body = await answer.readBytes(ANSWER_BYTES_MAX);
  if (answer.status !== 200) throw refused(answer, body);
  const value = parse(body);
  const token = value["access_token"];
  const seconds = value["expires_in"];
  if (typeof token !== "string" || !/^[!-~]+$/.test(token) || typeof seconds !== "number")
    throw new SyncError("provider_error", "Google's token endpoint gives no token", { retryable: true });
  return { value: token, endsAtMs: Date.now() + seconds * 1000 };
}

/** By OAuth's own words (RFC 6749), of which nothing but the known ones is looked at. */
function refused(answer: HttpAnswer, body: Uint8Array): SyncError {
  const error = parse(body)["error"];
  if (error === "invalid_scope")
    return new SyncError("provider_config", "Google does not give the service account the scopes of the settings");
  if (answer.status === 429 || answer.status >= 500)
    return refusalError(readRefusal(answer.status, answer.headers, body, Date.now()));
  return new SyncError(
    "provider_denied",
    "Google refuses the service account's key: it was deleted or disabled, is not this account's, or this machine's clock " +
      "is wrong; make a new JSON key and put it into the vault",
    { details: { status: answer.status } },
  );
}

/** What to add to our clock when it is why `answer` is a refusal. */
function skewOf(answer: HttpAnswer, offsetMs: number): number | undefined {
  const date = Date.parse(answer.headers.get("date") ?? "");
  if (Number.isNaN(date) || answer.status < 400 || answer.status >= 500) return undefined;
  return Math.abs(date - (Date.now() + offsetMs)) > SKEW_MS_MIN ? date - Date.now() : undefined;
}

/** Kept as a key that cannot be taken out again. @throws SyncError `provider_config`; nothing of the key is in it */
async function importKey({ privateKey }: ServiceAccount): Promise<CryptoKey> {
  try {
    const [, text = ""] = /-----BEGIN PRIVATE KEY-----([\s\S]+?)-----END PRIVATE KEY-----/.exec(privateKey) ?? [];
    const der = Uint8Array.from(atob(text.replaceAll(/\\n|\s/g, "")), (character) => character.charCodeAt(0));
    const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
    return await crypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
  } catch {
    throw new SyncError(
      "provider_config",
      "the private_key of the gdrive credentials cannot be read; put the service account's JSON key into the vault as it was downloaded",
      { details: { setting: "credentials" } },
    );
  }
}

function parse(body: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(body));
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}

function jsonPart(value: unknown): string {
  return base64Url(new TextEncoder().encode(JSON.stringify(value)));
}

function base64Url(bytes: Uint8Array): string {
  return base64(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
