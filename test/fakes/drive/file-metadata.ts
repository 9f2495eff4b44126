import { badRequest, DriveError } from "./drive-error.ts";
import type { FileRecord } from "./file-record.ts";

/** What the body of a create, copy or update may set, checked. */
export interface FileMetadata {
  readonly id?: string;
  readonly name?: string;
  readonly mimeType?: string;
  readonly parents?: readonly string[];
  readonly description?: string;
  readonly trashed?: boolean;
  readonly createdTimeMs?: number;
  readonly modifiedTimeMs?: number;
  readonly originalFilename?: string;
  /** null deletes. */
  readonly properties?: ReadonlyMap<string, string | null>;
  readonly appProperties?: ReadonlyMap<string, string | null>;
}

const PROPERTY_BYTES_MAX = 124;
const PROPERTIES_OF_A_KIND_MAX = 30;
const PROPERTIES_MAX = 100;
const OUTPUT_ONLY = new Set(
  `kind size version md5Checksum sha1Checksum sha256Checksum quotaBytesUsed headRevisionId driveId teamDriveId owners
  capabilities spaces ownedByMe explicitlyTrashed webViewLink webContentLink iconLink fileExtension fullFileExtension
  isAppAuthorized permissionIds permissions shared thumbnailLink trashedTime trashingUser`.split(/\s+/),
);
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** @throws DriveError for what is no JSON object, no field of a file, not writable, or has a value of another type */
export function parseFileMetadata(body: Uint8Array): FileMetadata {
  if (body.length === 0) return {};
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw parseError();
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw parseError();
  const metadata: Record<string, unknown> = {};
  for (const [name, each] of Object.entries(value)) Object.assign(metadata, readField(name, each));
  return metadata;
}

function readField(name: string, value: unknown): Record<string, unknown> {
  switch (name) {
    case "id":
    case "name":
    case "mimeType":
    case "description":
    case "originalFilename":
      if (typeof value !== "string") throw invalidValue(name);
      return { [name]: value };
    case "trashed":
      if (typeof value !== "boolean") throw invalidValue(name);
      return { trashed: value };
    case "parents":
      if (!Array.isArray(value) || value.some((each) => typeof each !== "string")) throw invalidValue(name);
      return { parents: value };
    case "createdTime":
    case "modifiedTime":
      if (typeof value !== "string" || !RFC3339.test(value)) throw invalidValue(name);
      return { [`${name}Ms`]: Date.parse(value) };
    case "properties":
    case "appProperties":
      return { [name]: readProperties(name, value) };
    default:
      if (OUTPUT_ONLY.has(name))
        throw notWritable("The resource body includes fields which are not directly writable.");
      throw badRequest(`Invalid JSON payload received. Unknown name "${name}": Cannot find field.`);
  }
}

function readProperties(name: string, value: unknown): Map<string, string | null> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalidValue(name);
  const properties = new Map<string, string | null>();
  for (const [key, each] of Object.entries(value)) {
    if (each !== null && typeof each !== "string") throw invalidValue(name);
    properties.set(key, each);
  }
  return properties;
}

/** `before` with `changes` merged in. @throws DriveError when one is too long or there are too many */
export function mergeProperties(
  before: ReadonlyMap<string, string>,
  changes: ReadonlyMap<string, string | null> | undefined,
): ReadonlyMap<string, string> {
  if (changes === undefined) return before;
  const merged = new Map(before);
  for (const [key, value] of changes) {
    if (value === null) merged.delete(key);
    else merged.set(key, value);
    if (value !== null && Buffer.byteLength(key) + Buffer.byteLength(value) > PROPERTY_BYTES_MAX)
      throw new DriveError(
        403,
        "propertyLengthLimitExceeded",
        "Properties and app properties are limited to 124 bytes in UTF-8 encoding, counting both the key and the value.",
      );
  }
  if (merged.size > PROPERTIES_OF_A_KIND_MAX) throw tooManyProperties();
  return merged;
}

/** @throws DriveError when a file would have more properties than all apps together may give it */
export function checkPropertyCount({ properties, appProperties }: FileRecord): void {
  let count = properties.size;
  for (const ofApp of appProperties.values()) count += ofApp.size;
  if (count > PROPERTIES_MAX) throw tooManyProperties();
}

function tooManyProperties(): DriveError {
  return new DriveError(403, "propertyCountLimitExceeded", "The file has reached its limit of custom properties.");
}

export function notWritable(message: string): DriveError {
  return new DriveError(403, "fieldNotWritable", message);
}

function invalidValue(name: string): DriveError {
  return new DriveError(400, "invalid", `Invalid value for: ${name}`);
}

function parseError(): DriveError {
  return new DriveError(400, "parseError", "Parse Error");
}
