import { type Clock, isoUtc, systemClock } from "../core/clock.ts";
import { SyncError, toSyncError } from "../core/errors.ts";
import { type EventSink, noEvents, type VaultAudited } from "../core/events.ts";
import type { JsonObject } from "../core/json.ts";
import { type BackupDates, describeBackups, describeVault, type VaultDescription } from "./describe.ts";
import {
  checkIterations,
  checkVersion,
  formatEnvelope,
  formatVault,
  ITERATIONS_DEFAULT,
  type KdfParameters,
  parseEnvelope,
  parseVault,
  type VaultDocument,
} from "./envelope.ts";
import { KeyCache } from "./key-cache.ts";
import { type Passphrase, usableNewPassphrase, usablePassphrase } from "./passphrase.ts";
import { decodePayload, encodePayload, jsonEqual, type Payload } from "./payload.ts";
import { checkDrops, openBackups, type RekeyCount, resealBackups } from "./rekey.ts";
import { archived, type BackupCount, rotatedVault } from "./rotation.ts";
import { openEnvelope, sealEnvelope } from "./seal.ts";
import { parseVaultPath, valueAt, withoutValueAt, withValueAt } from "./vault-path.ts";
import type { VaultStorage } from "./vault-storage.ts";

export interface VaultOptions {
  /** Told of each unlock and change, and of each refused one by its code. */
  readonly events?: EventSink;
  readonly clock?: Clock;
  /** PBKDF2 iterations of what is written, 100,000 to 10,000,000. The Python reader opens only the default, 390,000. */
  readonly iterations?: number;
  /** Called before each key derivation with its iterations. */
  readonly onDerive?: (iterations: number) => void;
}

export interface StoreResult extends BackupCount {
  /** False when the vault held equal content already: no byte of it changed. */
  readonly written: boolean;
  readonly created: boolean;
}

export interface RekeyOptions {
  /** Agrees to lose the backups that open under neither passphrase, and unknown fields. Default false. */
  readonly dropUnopenable?: boolean;
}

interface OpenVault {
  readonly document: VaultDocument;
  readonly secret: string;
  readonly plaintext: Uint8Array<ArrayBuffer>;
  readonly payload: Payload;
}

/** What an update writes, and the key that opens its root. */
interface Sealed {
  readonly bytes: Uint8Array;
  readonly passphrase: string;
  readonly kdf: KdfParameters;
}

interface Replacement<T> {
  readonly write?: Sealed;
  readonly result: T;
}

/**
 * Secrets in one encrypted file. Each call reads the file anew; only derived keys are kept.
 *
 * Every method may throw a SyncError: `vault_missing`, `vault_locked` (no passphrase), `vault_wrong_passphrase`,
 * `vault_malformed`, `vault_unsupported`, `vault_too_large`, `vault_busy`, and those of the storage. After an error the
 * vault's bytes are as they were.
 */
export class SecretsVault {
  readonly #storage: VaultStorage;
  readonly #events: EventSink;
  readonly #clock: Clock;
  readonly #iterations: number;
  readonly #keys: KeyCache;
  /** The bytes that the cached keys belong to. */
  #seen: Uint8Array | undefined;

  constructor(storage: VaultStorage, options: VaultOptions = {}) {
    this.#storage = storage;
    this.#events = options.events ?? noEvents;
    this.#clock = options.clock ?? systemClock;
    this.#iterations = checkIterations(options.iterations ?? ITERATIONS_DEFAULT, "the vault's iterations option");
    this.#keys = new KeyCache(options.onDerive ?? (() => undefined));
  }

  /** The whole payload, the caller's own copy. */
  async unlock(passphrase: Passphrase): Promise<JsonObject> {
    return (await this.#unlock(passphrase)).payload.value;
  }

  /** The value at a dotted path, undefined when there is none. @throws SyncError `vault_path` */
  async get(path: string, passphrase: Passphrase): Promise<unknown> {
    const keys = parseVaultPath(path);
    return valueAt(await this.unlock(passphrase), keys);
  }

  /** A new vault. @throws SyncError `vault_exists`, `bad_request` for a payload that is not plain JSON */
  async create(payload: JsonObject, passphrase: Passphrase): Promise<StoreResult> {
    return await this.#audited("store", () =>
      this.#replace(async (bytes) => {
        if (bytes !== undefined) throw new SyncError("vault_exists", "there is a vault already; nothing was changed");
        return await this.#first(payload, usablePassphrase(passphrase));
      }),
    );
  }

  /**
   * Replaces the payload; makes the vault when there is none. The passphrase must open what is there. Equal content
   * writes nothing; otherwise what was there becomes backup 0, and at most five are kept.
   * @throws SyncError `bad_request` for a payload that is not plain JSON
   */
  async store(payload: JsonObject, passphrase: Passphrase): Promise<StoreResult> {
    return await this.#save(
      passphrase,
      () => payload,
      (secret) => this.#first(payload, secret),
    );
  }

  /** Replaces the payload by what `change` makes of its copy, with no other writer in between. */
  async update(
    change: (payload: JsonObject) => JsonObject | Promise<JsonObject>,
    passphrase: Passphrase,
  ): Promise<StoreResult> {
    // A copy: what `change` mutates must not be what its result is compared with.
    return await this.#save(passphrase, (current) => change(structuredClone(current)));
  }

  /** Puts `value` at a dotted path; objects on the way are made. @throws SyncError `vault_path`, `bad_request` */
  async set(path: string, value: unknown, passphrase: Passphrase): Promise<StoreResult> {
    const keys = parseVaultPath(path);
    return await this.update((payload) => withValueAt(payload, keys, value), passphrase);
  }

  /** Removes what is at a dotted path; nothing is written when nothing is there. @throws SyncError `vault_path` */
  async unset(path: string, passphrase: Passphrase): Promise<StoreResult> {
    const keys = parseVaultPath(path);
    return await this.update((payload) => withoutValueAt(payload, keys) ?? payload, passphrase);
  }

  /** What `rekey` would keep and drop. Writes nothing. */
  async previewRekey(passphrase: Passphrase, newPassphrase: Passphrase): Promise<RekeyCount> {
    const { document, secret } = await this.#unlock(passphrase);
    const fresh = usableNewPassphrase(newPassphrase);
    return (await openBackups(document, [secret, fresh], this.#keys)).count;
  }

  /**
   * Encrypts the payload and the kept backups under `newPassphrase`. Afterwards the old one opens nothing in the file:
   * backups that open under neither passphrase and unknown fields go.
   * @throws SyncError `vault_rekey_drops` when something would go and `dropUnopenable` is not set; `bad_request` for an
   * empty new passphrase
   */
  async rekey(passphrase: Passphrase, newPassphrase: Passphrase, options: RekeyOptions = {}): Promise<RekeyCount> {
    return await this.#audited("rekey", () =>
      this.#replace(async (bytes) => {
        const { document, secret, plaintext } = await this.#open(bytes, passphrase);
        const fresh = usableNewPassphrase(newPassphrase);
        const old = await openBackups(document, [secret, fresh], this.#keys);
        checkDrops(old.count, options.dropUnopenable ?? false);
        const seal = (content: Uint8Array<ArrayBuffer>) => sealEnvelope(content, fresh, this.#iterations, this.#keys);
        const backups = await resealBackups(old, seal);
        const root = await seal(plaintext);
        const next = formatVault({ root: formatEnvelope(root, isoUtc(this.#clock.now())), backups, extra: {} });
        return { write: { bytes: next, passphrase: fresh, kdf: root.kdf }, result: old.count };
      }),
    );
  }

  /**
   * Makes a backup the vault's content again, under a fresh key. It must open under `passphrase`; what it replaces, which
   * need not, becomes backup 0. The restored one leaves the list, so that nothing is lost even of five.
   * @throws SyncError `vault_backup_missing`
   */
  async restoreBackup(index: number, passphrase: Passphrase): Promise<BackupCount> {
    return await this.#audited("restore_backup", () =>
      this.#replace(async (bytes) => {
        const { document, secret } = await this.#begin(bytes, passphrase);
        // A damaged root may be replaced, one of a newer writer may not.
        if (typeof document.root["version"] === "number") checkVersion(document.root["version"], "the vault");
        const entry = document.backups[index];
        if (entry === undefined) {
          throw new SyncError(
            "vault_backup_missing",
            `the vault has no such backup; it has ${document.backups.length}, counted from 0`,
          );
        }
        const owner = `backup ${index}`;
        const plaintext = await openEnvelope(parseEnvelope(entry, owner), secret, this.#keys, owner);
        decodePayload(plaintext);
        const { write, count } = await this.#seal(plaintext, secret, {
          ...document,
          backups: document.backups.toSpliced(index, 1),
        });
        return { write, result: count };
      }),
    );
  }

  /** The backups' dates, newest first. Needs no passphrase. */
  async backups(): Promise<readonly BackupDates[]> {
    return describeBackups(parseVault(existing(await this.#storage.read())));
  }

  /** What may be shown, without one secret value: the names of the keys too when a passphrase is given. */
  async describe(passphrase?: Passphrase): Promise<VaultDescription> {
    if (passphrase === undefined || passphrase === "") {
      return describeVault(parseVault(existing(await this.#storage.read())));
    }
    const { document, payload } = await this.#unlock(passphrase);
    return describeVault(document, payload.value);
  }

  async #unlock(passphrase: Passphrase): Promise<OpenVault> {
    try {
      const opened = await this.#open(await this.#storage.read(), passphrase);
      this.#events.emit({ type: "vault.audit", action: "unlock" });
      return opened;
    } catch (error) {
      this.#events.emit({ type: "vault.audit", action: "unlock_failed", code: toSyncError(error).code });
      throw error;
    }
  }

  async #open(bytes: Uint8Array | undefined, passphrase: Passphrase): Promise<OpenVault> {
    const { document, secret } = await this.#begin(bytes, passphrase);
    const plaintext = await openEnvelope(parseEnvelope(document.root, "the vault"), secret, this.#keys);
    return { document, secret, plaintext, payload: decodePayload(plaintext) };
  }

  /** What comes before any derivation. */
  async #begin(
    bytes: Uint8Array | undefined,
    passphrase: Passphrase,
  ): Promise<{ document: VaultDocument; secret: string }> {
    if (!sameBytes(this.#seen, bytes)) {
      this.#seen = bytes;
      await this.#keys.clear();
    }
    const present = existing(bytes);
    const secret = usablePassphrase(passphrase);
    return { document: parseVault(present), secret };
  }

  /** Puts what `change` makes of the payload in its place; `first` makes the vault when there is none. */
  async #save(
    passphrase: Passphrase,
    change: (payload: JsonObject) => JsonObject | Promise<JsonObject>,
    first?: (secret: string) => Promise<Replacement<StoreResult>>,
  ): Promise<StoreResult> {
    return await this.#audited("store", () =>
      this.#replace(async (bytes) => {
        if (bytes === undefined && first !== undefined) return await first(usablePassphrase(passphrase));
        const { document, secret, payload } = await this.#open(bytes, passphrase);
        const value = await change(payload.value);
        const plaintext = encodePayload(value, payload);
        if (jsonEqual(value, payload.value)) {
          const backups = document.backups.length;
          return { result: { written: false, created: false, backups, backupsDroppedForSize: 0 } };
        }
        const { write, count } = await this.#seal(plaintext, secret, document);
        return { write, result: { written: true, created: false, ...count } };
      }),
    );
  }

  async #first(payload: JsonObject, secret: string): Promise<Replacement<StoreResult>> {
    const { write, count } = await this.#seal(encodePayload(payload), secret);
    return { write, result: { written: true, created: true, ...count } };
  }

  /** `plaintext` as the root of a vault; the root of `previous` becomes backup 0. */
  async #seal(
    plaintext: Uint8Array<ArrayBuffer>,
    passphrase: string,
    previous?: VaultDocument,
  ): Promise<{ readonly write: Sealed; readonly count: BackupCount }> {
    const now = isoUtc(this.#clock.now());
    const root = await sealEnvelope(plaintext, passphrase, this.#iterations, this.#keys);
    const backups = previous === undefined ? [] : [archived(previous.root, now), ...previous.backups];
    const { bytes, ...count } = rotatedVault({
      root: formatEnvelope(root, now),
      backups,
      extra: previous?.extra ?? {},
    });
    return { write: { bytes, passphrase, kdf: root.kdf }, count };
  }

  /** One update of the storage. Afterwards only the key of what was written is kept. */
  async #replace<T>(fn: (bytes: Uint8Array | undefined) => Promise<Replacement<T>>): Promise<T> {
    const { write, result } = await this.#storage.update(async (bytes) => {
      const replacement = await fn(bytes);
      const { write: sealed } = replacement;
      return { ...(sealed === undefined ? {} : { write: sealed.bytes }), result: replacement };
    });
    if (write !== undefined) {
      this.#seen = write.bytes;
      await this.#keys.clear(write);
    }
    return result;
  }

  /** Tells of what `fn` changed and of what it refused. A store of equal content changed nothing. */
  async #audited<T extends object>(action: VaultAudited["action"], fn: () => Promise<T>): Promise<T> {
    try {
      const result = await fn();
      if (!("written" in result) || result.written === true) this.#events.emit({ type: "vault.audit", action });
      return result;
    } catch (error) {
      this.#events.emit({ type: "vault.audit", action, code: toSyncError(error).code });
      throw error;
    }
  }
}

function existing(bytes: Uint8Array | undefined): Uint8Array {
  if (bytes !== undefined) return bytes;
  throw new SyncError("vault_missing", "there is no vault; make one with `comfyvn-sync vault init`");
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined || a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
