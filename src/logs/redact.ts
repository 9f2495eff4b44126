import { isJsonObject } from "../core/json.ts";

const REDACTED = "[redacted]";
/** Values shorter than this are too common to replace in text without garbling it. */
const KNOWN_VALUE_CHARS_MIN = 6;

/** Field names whose values are never written, in any spelling: `aws_secret_access_key`, `X-Comfy-Signature`, `token`. */
const SECRET_FIELD =
  /pass(word|phrase)|secret|token|credential|private_?key|access_?key|api_?key|authorization|cookie|signature|service_account/i;

/**
 * What Google's JSON key of an account says beside its secrets. A project is named like the snapshot or the folder it
 * is for, and log and hooks would not tell those any more.
 */
const PUBLIC_FIELD = /^(type|project_id|auth_uri|token_uri|auth_provider_x509_cert_url|universe_domain)$/;

const PATTERNS: readonly (readonly [RegExp, string])[] = [
  // https://user:password@host, without the scheme: looking for that at every letter takes quadratic time.
  [/(:\/\/)[^\s/?#@]+@/g, `$1${REDACTED}@`],
  // presigned URLs and OAuth answers
  [
    /([?&](?:x-amz-(?:signature|credential|security-token)|signature|sig|access_token|token|key)=)[^&\s"']+/gi,
    `$1${REDACTED}`,
  ],
  [/\b(Bearer|Basic|Signature=|Credential=)\s*[A-Za-z0-9+/=._~-]{8,}/g, `$1 ${REDACTED}`],
  [/-----BEGIN [A-Z ]+-----[\s\S]*?(?:-----END [A-Z ]+-----|$)/g, REDACTED],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, REDACTED],
];

/** The secret values that this process has seen, so that no text leaves it with one inside. */
export class SecretValues {
  readonly #values = new Set<string>();

  /** Learns every string below a field with a secret's name, e.g. of an unlocked vault. */
  learn(payload: unknown, underSecretField = false): void {
    if (typeof payload === "string") {
      if (underSecretField && payload.length >= KNOWN_VALUE_CHARS_MIN) this.#values.add(payload);
    } else if (Array.isArray(payload)) {
      for (const item of payload) this.learn(item, underSecretField);
    } else if (isJsonObject(payload)) {
      for (const [key, value] of Object.entries(payload)) {
        this.learn(value, !PUBLIC_FIELD.test(key) && (underSecretField || SECRET_FIELD.test(key)));
      }
    }
  }

  /** What was learnt. */
  get values(): readonly string[] {
    return [...this.#values];
  }

  /** `text` without known values, URL userinfo, signatures, bearer tokens and PEM blocks. */
  redactText(text: string): string {
    let result = text;
    for (const value of this.#values) {
      if (result.includes(value)) result = result.replaceAll(value, REDACTED);
    }
    for (const [pattern, replacement] of PATTERNS) result = result.replace(pattern, replacement);
    return result;
  }

  /** A copy of `value` in which every string is redacted, and every field with a secret's name. Depth is bounded. */
  redact(value: unknown, depth = 0): unknown {
    if (typeof value === "string") return this.redactText(value);
    if (depth > 20) return REDACTED;
    if (Array.isArray(value)) return value.map((item) => this.redact(item, depth + 1));
    if (!isJsonObject(value)) return value;
    const copy: Record<string, unknown> = {};
    for (const [key, item] of Object.entries(value)) {
      copy[this.redactText(key)] = SECRET_FIELD.test(key) ? REDACTED : this.redact(item, depth + 1);
    }
    return copy;
  }
}
