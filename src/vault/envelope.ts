import { SyncError } from "../core/errors.ts";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { decodeUtf8, parseStrictJson } from "./strict-json.ts";

/** Where the vault lies in a workspace. */
export const VAULT_FILE = "config/comfyvn.secrets.json";
export const VAULT_BYTES_MAX = 1024 * 1024;
export const VAULT_BACKUPS_MAX = 5;
/** What the Python reader always derives with. */
export const ITERATIONS_DEFAULT = 390_000;
const ITERATIONS_MIN = 100_000;
/** About a second of derivation; more would let a planted file stall whoever opens it. */
const ITERATIONS_MAX = 10_000_000;
const VERSION = 1;
const KDF_NAME = "pbkdf2-hmac-sha256";
const CIPHER_NAME = "aes-gcm";
const SALT_BYTES_MIN = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const DEPTH_MAX = 32;

/** What PBKDF2-HMAC-SHA256 needs beside the passphrase. */
export interface KdfParameters {
  readonly iterations: number;
  readonly salt: Uint8Array<ArrayBuffer>;
}

/** One encrypted payload, checked: everything that opens it except the passphrase. */
export interface Envelope {
  readonly kdf: KdfParameters;
  readonly nonce: Uint8Array<ArrayBuffer>;
  /** Ciphertext followed by the 16-byte tag. */
  readonly ciphertext: Uint8Array<ArrayBuffer>;
}

/** The vault file taken apart. Envelopes stay as they were read until they are used. */
export interface VaultDocument {
  /** The root's `version`, `kdf`, `cipher`, `updated_at`. */
  readonly root: JsonObject;
  /** Newest first. A damaged one must not keep the root shut, so `parseEnvelope` checks each when it is used. */
  readonly backups: readonly JsonObject[];
  /** Root fields that are not ours, kept when the file is written. */
  readonly extra: JsonObject;
}

/**
 * Takes the text of a vault apart, without looking into its envelopes.
 * @throws SyncError `vault_too_large`, `vault_malformed`
 */
export function parseVault(bytes: Uint8Array): VaultDocument {
  if (bytes.length > VAULT_BYTES_MAX) throw tooLarge(bytes.length);
  if (bytes.length === 0) throw malformed("the vault file is empty");
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    throw malformed("the vault file starts with a byte order mark; save it as UTF-8 without one");
  }
  const text = decodeUtf8(bytes);
  if (text === undefined) throw malformed("the vault file is not valid UTF-8");
  const parsed = parseStrictJson(text, DEPTH_MAX);
  if ("fault" in parsed) throw malformed(`the vault file ${parsed.fault}`);
  if (!isJsonObject(parsed.value)) throw malformed("the vault file is not a JSON object");
  const { version, kdf, cipher, updated_at, archived_at: _archivedAt, backups = [], ...extra } = parsed.value;
  if (!Array.isArray(backups) || !backups.every(isJsonObject)) {
    throw malformed("the vault's backups must be a list of objects");
  }
  return { root: { version, kdf, cipher, updated_at }, backups, extra };
}

/**
 * Checks one envelope, the root or a backup. `owner` begins the message: "the vault", "backup 2".
 * @throws SyncError `vault_malformed` for a missing, mistyped or damaged field, `vault_unsupported` for a version,
 * algorithm or work factor that this reader does not take
 */
export function parseEnvelope(entry: JsonObject, owner: string): Envelope {
  checkVersion(entry["version"], owner);
  const { kdf, cipher, updated_at } = entry;
  if (!isJsonObject(kdf)) throw malformed(`${owner}'s kdf is missing or not an object`);
  if (!isJsonObject(cipher)) throw malformed(`${owner}'s cipher is missing or not an object`);
  if (updated_at !== undefined && typeof updated_at !== "string") throw malformed(`${owner}'s updated_at must be text`);
  checkName(kdf["name"], KDF_NAME, `${owner}'s kdf.name`);
  checkName(cipher["name"], CIPHER_NAME, `${owner}'s cipher.name`);
  const iterations = checkIterations(kdf["iterations"], `${owner}'s kdf.iterations`);
  const salt = base64Field(kdf["salt"], `${owner}'s kdf.salt`);
  if (salt.length < SALT_BYTES_MIN)
    throw malformed(`${owner}'s kdf.salt has ${salt.length} bytes; it needs at least ${SALT_BYTES_MIN}`);
  const nonce = base64Field(cipher["nonce"], `${owner}'s cipher.nonce`);
  if (nonce.length !== NONCE_BYTES)
    throw malformed(`${owner}'s cipher.nonce has ${nonce.length} bytes; it must have ${NONCE_BYTES}`);
  const ciphertext = base64Field(cipher["ciphertext"], `${owner}'s cipher.ciphertext`);
  if (ciphertext.length <= TAG_BYTES) {
    throw malformed(
      `${owner}'s cipher.ciphertext has ${ciphertext.length} bytes; it must be longer than its ${TAG_BYTES}-byte tag`,
    );
  }
  return { kdf: { iterations, salt }, nonce, ciphertext };
}

/** `envelope` as the file spells it: interop's fields in interop's order. */
export function formatEnvelope(envelope: Envelope, updatedAt: unknown): JsonObject {
  return {
    version: VERSION,
    kdf: { name: KDF_NAME, iterations: envelope.kdf.iterations, salt: encodeBase64(envelope.kdf.salt) },
    cipher: { name: CIPHER_NAME, nonce: encodeBase64(envelope.nonce), ciphertext: encodeBase64(envelope.ciphertext) },
    updated_at: updatedAt,
  };
}

/**
 * The bytes of a vault file: UTF-8 JSON, 2-space indent.
 * @throws SyncError `vault_too_large` when no reader would take them
 */
export function formatVault(document: VaultDocument): Uint8Array {
  const text = JSON.stringify({ ...document.root, backups: document.backups, ...document.extra }, undefined, 2);
  const bytes = new TextEncoder().encode(`${text}\n`);
  if (bytes.length > VAULT_BYTES_MAX) throw tooLarge(bytes.length);
  return bytes;
}

/** @throws SyncError `vault_malformed`, `vault_unsupported` unless `iterations` is a whole number within the limits */
export function checkIterations(iterations: unknown, field: string): number {
  if (typeof iterations !== "number" || !Number.isInteger(iterations))
    throw malformed(`${field} is missing or not a whole number`);
  if (iterations < ITERATIONS_MIN || iterations > ITERATIONS_MAX) {
    throw unsupported(`${field} is ${iterations}; only ${ITERATIONS_MIN} to ${ITERATIONS_MAX} are taken`);
  }
  return iterations;
}

/** What refuses a vault of `bytes`, read or about to be written. */
export function tooLarge(bytes: number): SyncError {
  return new SyncError(
    "vault_too_large",
    `a vault of ${bytes} bytes is too large; at most ${VAULT_BYTES_MAX} are read or written`,
  );
}

/** @throws SyncError `vault_malformed`, `vault_unsupported` */
export function checkVersion(version: unknown, owner: string): void {
  if (typeof version !== "number") throw malformed(`${owner}'s version is missing or not a number`);
  if (version !== VERSION) {
    throw unsupported(
      `${owner} has version ${version}; this program knows version ${VERSION}: a newer one may have written it`,
    );
  }
}

function checkName(name: unknown, known: string, field: string): void {
  if (typeof name !== "string") throw malformed(`${field} is missing or not text`);
  if (name !== known) throw unsupported(`${field} is not one that this program knows; it knows ${known}`);
}

function base64Field(value: unknown, field: string): Uint8Array<ArrayBuffer> {
  if (typeof value !== "string") throw malformed(`${field} is missing or not text`);
  const bytes = decodeBase64(value);
  if (bytes === undefined) throw malformed(`${field} is not base64`);
  return bytes;
}

function malformed(fault: string): SyncError {
  return new SyncError(
    "vault_malformed",
    `${fault}. The file was left as it is: put a sound copy of it in its place, or restore one of its backups with ` +
      "`comfyvn-sync vault restore`",
  );
}

function unsupported(message: string): SyncError {
  return new SyncError("vault_unsupported", message);
}
