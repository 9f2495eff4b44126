import { SyncError } from "../../core/errors.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import type { ProviderSettings } from "../contract.ts";

/** What Google gives out as a service account's JSON key, as far as it is used. `token_uri` is not: see endpoints.ts. */
export interface ServiceAccount {
  readonly clientEmail: string;
  /** PKCS #8, PEM. */
  readonly privateKey: string;
  readonly privateKeyId: string | undefined;
}

export interface DriveSettings {
  /** The folder of the objects. */
  readonly parentId: string;
  /** The folder of the manifests. */
  readonly manifestParentId: string;
  /** The shared drive of the folders; undefined: Drive is asked. */
  readonly driveId: string | undefined;
  /** Whole addresses. */
  readonly scopes: readonly string[];
  /** What every key of this destination starts with: "" or a prefix that ends in `/`. */
  readonly base: string;
  readonly account: ServiceAccount;
}

const SCOPE_ADDRESS = "https://www.googleapis.com/auth/";
/** What it takes to keep files. Both are the whole of what this product asks for, whoever asks. */
const SCOPES = ["drive.file", "drive"];
const SCOPE_DEFAULT = "drive.file";
const ID = /^[A-Za-z0-9_-]{1,256}$/;

/** True where only files that this account made itself can be seen. */
export function seesOwnFilesOnly(settings: DriveSettings): boolean {
  return settings.scopes.every((scope) => scope === SCOPE_ADDRESS + SCOPE_DEFAULT);
}

/**
 * Checks settings and fills in what is left out. The key comes from `settings` and nowhere else.
 * @throws SyncError `credentials_missing`, `provider_config` (names the setting, never its value)
 */
export function readDriveSettings(settings: ProviderSettings): DriveSettings {
  const account = readAccount(settings);
  const parentId = readId(settings, "parent_id");
  if (parentId === undefined)
    throw badSetting("parent_id", "is missing: set the id of the Drive folder, the last part of its address");
  const prefix = present(settings, "prefix");
  if (prefix !== undefined && typeof prefix !== "string") throw badSetting("prefix", "is text");
  const folder = (prefix ?? "").replace(/\/+$/, "");
  return {
    parentId,
    manifestParentId: readId(settings, "manifest_parent_id") ?? parentId,
    driveId: readId(settings, "drive_id"),
    scopes: readScopes(present(settings, "scopes")),
    base: folder === "" ? "" : `${folder}/`,
    account,
  };
}

function readAccount(settings: ProviderSettings): ServiceAccount {
  const given = present(settings, "credentials") ?? present(settings, "service_account");
  if (given === undefined) {
    throw new SyncError(
      "credentials_missing",
      "the vault's entry for gdrive has no credentials; put the service account's JSON key there as credentials",
    );
  }
  const key = typeof given === "string" ? parseJson(given) : given;
  if (!isJsonObject(key)) throw badSetting("credentials", "is not the JSON key of a service account");
  const { type, client_email: clientEmail, private_key: privateKey, private_key_id: privateKeyId } = key;
  if (type !== undefined && type !== "service_account") {
    throw badSetting("credentials", "is a key of another kind; make one for a service account (IAM, Keys, JSON)");
  }
  if (typeof clientEmail !== "string" || clientEmail === "" || typeof privateKey !== "string" || privateKey === "") {
    throw badSetting(
      "credentials",
      "lacks client_email or private_key; put the whole JSON key of the service account there",
    );
  }
  return { clientEmail, privateKey, privateKeyId: typeof privateKeyId === "string" ? privateKeyId : undefined };
}

function parseJson(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** One or more, as text or a list, by their whole address or their last part. */
function readScopes(given: unknown): readonly string[] {
  if (given === undefined) return [SCOPE_ADDRESS + SCOPE_DEFAULT];
  const list: readonly unknown[] =
    typeof given === "string" ? given.split(/[\s,]+/) : Array.isArray(given) ? given : [];
  const names = list.map((each) => (typeof each === "string" ? each.replace(SCOPE_ADDRESS, "") : ""));
  if (names.length === 0 || !names.every((name) => SCOPES.includes(name)))
    throw badSetting("scopes", `holds ${SCOPES.join(" or ")}, or their whole address`);
  return [...new Set(names)].map((name) => SCOPE_ADDRESS + name);
}

function readId(settings: ProviderSettings, name: string): string | undefined {
  const value = present(settings, name);
  if (value === undefined) return undefined;
  if (typeof value !== "string" || !ID.test(value)) throw badSetting(name, "is an id: letters, digits, - and _");
  return value;
}

/** An empty or null setting counts as one that is left out, as the Python studio writes them. */
function present(settings: ProviderSettings, name: string): unknown {
  const value = settings[name];
  return value === null || value === "" ? undefined : value;
}

function badSetting(name: string, what: string): SyncError {
  return new SyncError("provider_config", `the gdrive setting ${name} ${what}`, { details: { setting: name } });
}
