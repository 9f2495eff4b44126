import { SyncError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { type Envelope, formatEnvelope, parseEnvelope, VAULT_BACKUPS_MAX, type VaultDocument } from "./envelope.ts";
import type { KeyCache } from "./key-cache.ts";
import { openEnvelope } from "./seal.ts";

export interface RekeyCount {
  /** Backups that open and are encrypted anew. */
  readonly reencrypted: number;
  /** Backups that open under neither passphrase, or are beyond the newest five. */
  readonly dropped: number;
  /** Root fields that are not the vault's: what they hold, the old passphrase might open. */
  readonly droppedFields: number;
}

export interface OpenedBackups {
  readonly opened: readonly OpenedBackup[];
  readonly count: RekeyCount;
}

interface OpenedBackup {
  readonly entry: JsonObject;
  readonly plaintext: Uint8Array<ArrayBuffer>;
}

/** Opens the backups that a rekey keeps. `passphrases`: the old one, then the new one, for a backup it already fits. */
export async function openBackups(
  document: VaultDocument,
  passphrases: readonly string[],
  keys: KeyCache,
): Promise<OpenedBackups> {
  const opened: OpenedBackup[] = [];
  for (const entry of document.backups.slice(0, VAULT_BACKUPS_MAX)) {
    const plaintext = await openWithAny(entry, passphrases, keys);
    if (plaintext !== undefined) opened.push({ entry, plaintext });
  }
  const count = {
    reencrypted: opened.length,
    dropped: document.backups.length - opened.length,
    droppedFields: Object.keys(document.extra).length,
  };
  return { opened, count };
}

/** The backups sealed by `seal`, with the dates they had. Their bytes are not parsed: nothing in them changes. */
export async function resealBackups(
  backups: OpenedBackups,
  seal: (plaintext: Uint8Array<ArrayBuffer>) => Promise<Envelope>,
): Promise<readonly JsonObject[]> {
  const entries: JsonObject[] = [];
  for (const { entry, plaintext } of backups.opened) {
    entries.push({ ...formatEnvelope(await seal(plaintext), entry["updated_at"]), archived_at: entry["archived_at"] });
  }
  return entries;
}

/** @throws SyncError `vault_rekey_drops` when the rekey would lose something that nobody agreed to lose */
export function checkDrops(count: RekeyCount, dropUnopenable: boolean): void {
  if (dropUnopenable || (count.dropped === 0 && count.droppedFields === 0)) return;
  const { reencrypted, dropped, droppedFields } = count;
  throw new SyncError(
    "vault_rekey_drops",
    `rekeying would drop ${dropped} backups that do not open and ${droppedFields} unknown fields, and keep ${reencrypted} backups; ` +
      "nothing was changed; agree to the drop and repeat",
    { details: { reencrypted, dropped, dropped_fields: droppedFields } },
  );
}

async function openWithAny(
  entry: JsonObject,
  passphrases: readonly string[],
  keys: KeyCache,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  for (const passphrase of passphrases) {
    try {
      return await openEnvelope(parseEnvelope(entry, "the backup"), passphrase, keys);
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
    }
  }
  return undefined;
}
