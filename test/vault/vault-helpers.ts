import { expect } from "bun:test";
import { createCipheriv, createDecipheriv, pbkdf2Sync, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ErrorCode, SyncError } from "../../src/core/errors.ts";
import { isJsonObject, type JsonObject } from "../../src/core/json.ts";
import { SecretsVault, type VaultOptions } from "../../src/vault/secrets-vault.ts";
import { textVaultStorage, type TextVaultStorage } from "../../src/vault/text-vault-storage.ts";

/** As few as a reader takes: what the tests write and derive is quick. */
export const ITERATIONS_FEW = 100_000;

const VECTORS = join(import.meta.dirname, "..", "vectors", "vault");

export function vector(file: string): string {
  return readFileSync(join(VECTORS, file), "utf8");
}

export interface TestVault {
  readonly vault: SecretsVault;
  readonly storage: TextVaultStorage;
  /** Iterations of every derivation so far. */
  readonly derivations: number[];
}

/** A vault in memory, begun from `text`, that counts its derivations. */
export function testVault(text?: string | Uint8Array, options: VaultOptions = {}): TestVault {
  const storage = textVaultStorage(text);
  const derivations: number[] = [];
  const onDerive = (iterations: number) => void derivations.push(iterations);
  return {
    vault: new SecretsVault(storage, { iterations: ITERATIONS_FEW, onDerive, ...options }),
    storage,
    derivations,
  };
}

/** The SyncError that `promise` ends in. */
export async function refusal(promise: Promise<unknown>): Promise<SyncError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof SyncError) return error;
  throw new Error("expected a SyncError", { cause: error });
}

export async function expectCode(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  expect((await refusal(promise)).code).toBe(code);
}

/** JSON text as an object. */
export function parseObject(text: string | undefined): JsonObject {
  const value: unknown = JSON.parse(text ?? "");
  if (!isJsonObject(value)) throw new Error("expected an object");
  return value;
}

/** The member `key` of an object as an object. */
export function member(value: unknown, key: string | number): JsonObject {
  const found: unknown = typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
  if (!isJsonObject(found)) throw new Error(`expected an object at ${key}`);
  return found;
}

/** The backups of a vault's text. */
export function backupsOf(text: string | undefined): JsonObject[] {
  const { backups } = parseObject(text);
  if (!Array.isArray(backups)) throw new Error("expected backups");
  return backups.map((entry: unknown) => member({ entry }, "entry"));
}

/** The plaintext that `passphrase` opens in `envelope`, by node:crypto alone; undefined when it opens nothing. */
export function foreignPlaintext(envelope: unknown, passphrase: string): string | undefined {
  const kdf = member(envelope, "kdf");
  const cipher = member(envelope, "cipher");
  const bytes = (value: unknown) => Buffer.from(String(value), "base64");
  const sealed = bytes(cipher["ciphertext"]);
  const key = pbkdf2Sync(passphrase, bytes(kdf["salt"]), Number(kdf["iterations"]), 32, "sha256");
  const decipher = createDecipheriv("aes-256-gcm", key, bytes(cipher["nonce"])).setAuthTag(sealed.subarray(-16));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]).toString("utf8");
  } catch {
    return undefined;
  }
}

/** The payload that `passphrase` opens in `envelope`, by node:crypto alone; undefined when it opens nothing. */
export function foreignOpen(envelope: unknown, passphrase: string): unknown {
  const plaintext = foreignPlaintext(envelope, passphrase);
  const value: unknown = plaintext === undefined ? undefined : JSON.parse(plaintext);
  return value;
}

/** An envelope around any plaintext, by node:crypto alone. */
export function foreignSeal(
  plaintext: string | Uint8Array,
  passphrase: string,
  iterations = ITERATIONS_FEW,
): JsonObject {
  const salt = randomBytes(16);
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", pbkdf2Sync(passphrase, salt, iterations, 32, "sha256"), nonce);
  const sealed = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  return {
    version: 1,
    kdf: { name: "pbkdf2-hmac-sha256", iterations, salt: salt.toString("base64") },
    cipher: { name: "aes-gcm", nonce: nonce.toString("base64"), ciphertext: sealed.toString("base64") },
    updated_at: "2025-11-18T04:05:06.789012+00:00",
  };
}
