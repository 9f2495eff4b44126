import { isJsonObject, type JsonObject } from "../core/json.ts";
import { parseEnvelope, type VaultDocument } from "./envelope.ts";
import { formatVaultPath } from "./vault-path.ts";

const MASK = "********";
const DATE = /^\d{4}-\d{2}-\d{2}T[0-9:.]{5,20}(Z|[+-]\d{2}:\d{2})$/;

/** What may be shown of a vault. */
export interface VaultDescription {
  readonly version: 1;
  readonly iterations: number;
  /** ISO-8601; null when the file has none. */
  readonly updated_at: string | null;
  readonly backups: readonly BackupDates[];
  /** Every value's place in the payload, in its order; undefined while the vault is locked. */
  readonly keys?: readonly VaultKey[];
}

export interface BackupDates {
  readonly index: number;
  /** When its content was current, and when it was replaced. ISO-8601; null when the file has none. */
  readonly updated_at: string | null;
  readonly archived_at: string | null;
}

export interface VaultKey {
  /** As `parseVaultPath` takes it. */
  readonly path: string;
  /** `object` and `array` only when they are empty. */
  readonly type: "string" | "number" | "boolean" | "null" | "object" | "array";
  /** The same for every value, so that it tells nothing, not even a length. */
  readonly masked: typeof MASK;
}

/** @throws SyncError as `parseEnvelope` */
export function describeVault(document: VaultDocument, payload?: JsonObject): VaultDescription {
  const envelope = parseEnvelope(document.root, "the vault");
  return {
    version: 1,
    iterations: envelope.kdf.iterations,
    updated_at: dateOf(document.root["updated_at"]),
    backups: describeBackups(document),
    ...(payload === undefined ? {} : { keys: [...keysOf(payload, [])] }),
  };
}

/** Newest first. */
export function describeBackups(document: VaultDocument): readonly BackupDates[] {
  return document.backups.map((entry, index) => ({
    index,
    updated_at: dateOf(entry["updated_at"]),
    archived_at: dateOf(entry["archived_at"]),
  }));
}

function* keysOf(value: unknown, keys: readonly string[]): Generator<VaultKey> {
  const members = typeof value === "object" && value !== null ? Object.entries(value) : [];
  for (const [key, member] of members) yield* keysOf(member, [...keys, key]);
  if (members.length === 0 && keys.length > 0) yield { path: formatVaultPath(keys), type: typeOf(value), masked: MASK };
}

function typeOf(value: unknown): VaultKey["type"] {
  if (typeof value === "string") return "string";
  if (typeof value === "number") return "number";
  if (typeof value === "boolean") return "boolean";
  if (Array.isArray(value)) return "array";
  return isJsonObject(value) ? "object" : "null";
}

/** The file's dates are text that anyone may have written: only what looks like a date is shown. */
function dateOf(value: unknown): string | null {
  return typeof value === "string" && DATE.test(value) ? value : null;
}
