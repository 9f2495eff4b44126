import { SyncError } from "../core/errors.ts";

/** Used as its UTF-8, never normalised. Absent and empty mean that the vault stays locked. */
export type Passphrase = string | undefined;

/** @throws SyncError `vault_locked` when there is none, `bad_request` when it is not valid Unicode */
export function usablePassphrase(passphrase: Passphrase): string {
  if (passphrase === undefined || passphrase === "") {
    throw new SyncError("vault_locked", "the vault is locked: no passphrase was given; set COMFYVN_SECRETS_KEY");
  }
  return wellFormed(passphrase);
}

/** @throws SyncError `bad_request` when there is none or it is not valid Unicode */
export function usableNewPassphrase(passphrase: Passphrase): string {
  if (passphrase === undefined || passphrase === "") throw new SyncError("bad_request", "the new passphrase is empty");
  return wellFormed(passphrase);
}

/** UTF-8 would turn every lone surrogate into the same character: different passphrases would open one vault. */
function wellFormed(passphrase: string): string {
  if (passphrase.isWellFormed()) return passphrase;
  throw new SyncError("bad_request", "the passphrase is not valid Unicode");
}
