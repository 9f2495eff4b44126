import { SyncError } from "../core/errors.ts";
import type { KdfParameters } from "./envelope.ts";

/** The root and five backups under an old and a new passphrase, with a little room. */
const KEYS_MAX = 16;

/**
 * AES keys by passphrase and KDF parameters, derived once. The keys are not extractable. No passphrase is kept: an
 * entry is named by an HMAC of it under a random key that only this object holds, so that the names cannot be compared
 * with anything outside the process. Keys of wrong passphrases are kept too: they open nothing, and a client that
 * repeats one does not make the process derive it again.
 */
export class KeyCache {
  readonly #onDerive: (iterations: number) => void;
  readonly #keys = new Map<string, Promise<CryptoKey>>();
  #naming: Promise<CryptoKey> | undefined;

  /** `onDerive` is called before each derivation, with its iterations. */
  constructor(onDerive: (iterations: number) => void) {
    this.#onDerive = onDerive;
  }

  /** @throws SyncError `vault_unsupported` when the runtime refuses the parameters */
  async key(passphrase: string, kdf: KdfParameters): Promise<CryptoKey> {
    const name = await this.#nameOf(passphrase, kdf);
    const known = this.#keys.get(name);
    // Looked up and entered with no await between, so that callers at once share one derivation.
    const key = known ?? this.#derive(passphrase, kdf);
    this.#keys.delete(name);
    this.#keys.set(name, key);
    for (const oldest of this.#keys.keys()) {
      if (this.#keys.size <= KEYS_MAX) break;
      this.#keys.delete(oldest);
    }
    try {
      return await key;
    } catch (error) {
      if (this.#keys.get(name) === key) this.#keys.delete(name);
      throw error;
    }
  }

  /** Drops every key but, when given, the one of `kept`. */
  async clear(kept?: { readonly passphrase: string; readonly kdf: KdfParameters }): Promise<void> {
    const name = kept === undefined ? undefined : await this.#nameOf(kept.passphrase, kept.kdf);
    for (const other of this.#keys.keys()) if (other !== name) this.#keys.delete(other);
  }

  #derive(passphrase: string, kdf: KdfParameters): Promise<CryptoKey> {
    this.#onDerive(kdf.iterations);
    return deriveKey(passphrase, kdf);
  }

  async #nameOf(passphrase: string, kdf: KdfParameters): Promise<string> {
    this.#naming ??= crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    const secret = new TextEncoder().encode(passphrase);
    const message = new Uint8Array(8 + kdf.salt.length + secret.length);
    // The salt's length first: no two pairs of salt and passphrase give the same message.
    new DataView(message.buffer).setUint32(0, kdf.iterations);
    new DataView(message.buffer).setUint32(4, kdf.salt.length);
    message.set(kdf.salt, 8);
    message.set(secret, 8 + kdf.salt.length);
    const name = await crypto.subtle.sign("HMAC", await this.#naming, message);
    message.fill(0);
    secret.fill(0);
    return String.fromCharCode(...new Uint8Array(name));
  }
}

/** PBKDF2-HMAC-SHA256 of the UTF-8 passphrase, to an AES-256-GCM key that cannot be exported. */
async function deriveKey(passphrase: string, kdf: KdfParameters): Promise<CryptoKey> {
  const secret = new TextEncoder().encode(passphrase);
  try {
    const base = await crypto.subtle.importKey("raw", secret, "PBKDF2", false, ["deriveKey"]);
    const { salt, iterations } = kdf;
    const algorithm = { name: "PBKDF2", hash: "SHA-256", salt, iterations };
    return await crypto.subtle.deriveKey(algorithm, base, { name: "AES-GCM", length: 256 }, false, [
      "encrypt",
      "decrypt",
    ]);
  } catch (cause) {
    // Cloudflare's edge stops at 100,000.
    throw new SyncError(
      "vault_unsupported",
      `this runtime refuses PBKDF2 with ${kdf.iterations} iterations; open the vault elsewhere`,
      { cause },
    );
  } finally {
    secret.fill(0);
  }
}
