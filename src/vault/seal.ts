import { SyncError } from "../core/errors.ts";
import type { Envelope } from "./envelope.ts";
import type { KeyCache } from "./key-cache.ts";

/**
 * The plaintext of `envelope`. `owner` names it in the message: "the vault", "backup 2".
 * @throws SyncError `vault_wrong_passphrase` when it does not open: under GCM a wrong passphrase and a damaged salt,
 * nonce, ciphertext or tag look the same
 */
export async function openEnvelope(
  envelope: Envelope,
  passphrase: string,
  keys: KeyCache,
  owner = "the vault",
): Promise<Uint8Array<ArrayBuffer>> {
  const key = await keys.key(passphrase, envelope.kdf);
  try {
    return new Uint8Array(
      await crypto.subtle.decrypt({ name: "AES-GCM", iv: envelope.nonce }, key, envelope.ciphertext),
    );
  } catch (cause) {
    throw new SyncError(
      "vault_wrong_passphrase",
      `the passphrase does not open ${owner}, or ${owner} is damaged: AES-GCM cannot tell the two apart. ` +
        "Check the passphrase; if it is right, restore one of the vault's backups",
      { cause },
    );
  }
}

/** `plaintext` under a fresh salt and a fresh nonce: no key meets a nonce twice. */
export async function sealEnvelope(
  plaintext: Uint8Array<ArrayBuffer>,
  passphrase: string,
  iterations: number,
  keys: KeyCache,
): Promise<Envelope> {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const nonce = crypto.getRandomValues(new Uint8Array(12));
  const kdf = { iterations, salt };
  const key = await keys.key(passphrase, kdf);
  const ciphertext = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce }, key, plaintext));
  return { kdf, nonce, ciphertext };
}
