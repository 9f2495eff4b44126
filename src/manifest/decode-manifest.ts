import { SyncError } from "../core/errors.ts";
import type { NewHasher } from "../core/hash.ts";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import { manifestChecksum } from "./checksum.ts";
import { entryPathFault } from "./entry-path.ts";
import { JsonCursor } from "./json-cursor.ts";
import { EntryCollector } from "./entries-in-order.ts";
import type { Manifest, ManifestEntry, ManifestFields } from "./manifest.ts";
import { Turn } from "../threads/turn.ts";

/** The largest document that is read, bytes: about two million entries. */
export const MANIFEST_BYTES_MAX = 536_870_912;

/** Bytes of entries between two looks at the clock. */
const BYTES_PER_LOOK = 65_536;
const SHA256_HEX = /^[0-9a-f]{64}$/;

export interface RemoteManifest {
  readonly manifest: Manifest;
  /** What stands beside `manifest` in the document. */
  readonly extra: JsonObject;
}

export interface CachedManifest {
  readonly service: string;
  readonly checksum: string;
  readonly manifest: Manifest;
}

/**
 * Reads `{"manifest": {…}, …}`: a published manifest, or the one inside a backup. The bytes are not trusted; unknown
 * fields of the manifest and its entries are ignored.
 * @throws SyncError `manifest_malformed` naming the rule that is broken, never a value; `aborted`
 */
export async function decodeRemoteManifest(bytes: Uint8Array, signal?: AbortSignal): Promise<RemoteManifest> {
  let entries = new EntryCollector();
  const { fields, extra } = await readRemoteManifest(
    bytes,
    () => {
      entries = new EntryCollector();
      return (entry) => entries.add(entry);
    },
    signal,
  );
  return { manifest: { ...fields, entries: entries.entries() }, extra };
}

/**
 * The same, the entries given one by one as they stand in the document instead of kept: of two with one path the later
 * one counts. A document that repeats itself begins anew with another `collect`.
 * @throws as decodeRemoteManifest
 */
export async function readRemoteManifest(
  bytes: Uint8Array,
  collect: () => (entry: ManifestEntry) => void,
  signal?: AbortSignal,
): Promise<{ readonly fields: ManifestFields; readonly extra: JsonObject }> {
  if (bytes.byteLength > MANIFEST_BYTES_MAX) throw malformed(`is larger than ${MANIFEST_BYTES_MAX} bytes`);
  const turn = new Turn(signal);
  const cursor = new JsonCursor(bytes, malformed);
  let fields: ManifestFields | undefined;
  const extra: [string, unknown][] = [];
  if (!cursor.atObject()) throw malformed("is not a JSON object");
  cursor.open();
  while (cursor.nextMember()) {
    const key = cursor.key();
    if (key === "manifest") fields = await readManifest(cursor, collect, turn);
    else extra.push([key, cursor.value()]);
  }
  cursor.end();
  if (fields === undefined) throw malformed("lacks 'manifest'");
  // fromEntries and not assignment: a key `__proto__` stays a key.
  return { fields, extra: Object.fromEntries(extra) };
}

/**
 * Reads a cache file `{service, name, checksum, manifest}` and proves it against its checksum.
 * @throws SyncError `manifest_malformed`; `manifest_checksum` when the entries are not those the checksum was made of; `aborted`
 */
export async function decodeCacheFile(
  bytes: Uint8Array,
  newHasher: NewHasher,
  signal?: AbortSignal,
): Promise<CachedManifest> {
  const { manifest, extra } = await decodeRemoteManifest(bytes, signal);
  const { service, checksum } = extra;
  if (typeof service !== "string") throw malformed("lacks 'service'");
  if (typeof checksum !== "string") throw malformed("lacks 'checksum'");
  if ((await manifestChecksum(manifest, newHasher, signal)) !== checksum) {
    throw new SyncError(
      "manifest_checksum",
      "the cached manifest does not match its checksum; it is damaged and will be made anew",
    );
  }
  return { service, checksum, manifest };
}

async function readManifest(
  cursor: JsonCursor,
  collect: () => (entry: ManifestEntry) => void,
  turn: Turn,
): Promise<ManifestFields> {
  const fields: { name: string; root: string; created_at: string } = { name: "", root: "", created_at: "" };
  let hasEntries = false;
  if (!cursor.atObject()) throw malformed("holds a 'manifest' that is not an object");
  cursor.open();
  while (cursor.nextMember()) {
    const key = cursor.key();
    if (key === "name" || key === "root" || key === "created_at") {
      const value = cursor.value();
      if (typeof value !== "string") throw malformed(`holds a '${key}' that is not text`);
      fields[key] = value;
    } else if (key === "entries") {
      await readEntries(cursor, collect(), turn);
      hasEntries = true;
    } else {
      cursor.value();
    }
  }
  // Never taken for an empty one: that would plan deletes.
  if (!hasEntries) throw malformed("lacks 'entries'");
  return fields;
}

async function readEntries(cursor: JsonCursor, add: (entry: ManifestEntry) => void, turn: Turn): Promise<void> {
  if (!cursor.atObject()) throw malformed("holds 'entries' that are not an object");
  cursor.open();
  let restedAt = cursor.position;
  // One by one: an object of many paths takes JavaScript engines three times as long to make as all its entries.
  while (cursor.nextMember()) {
    add(checkedEntry(cursor.key(), cursor.value()));
    if (cursor.position - restedAt < BYTES_PER_LOOK) continue;
    restedAt = cursor.position;
    if (turn.due()) await turn.pause();
  }
}

function checkedEntry(path: string, value: unknown): ManifestEntry {
  const fault = entryPathFault(path);
  if (fault !== undefined) throw malformed(`holds an entry whose path ${fault}`);
  if (!isJsonObject(value)) throw malformed("holds an entry that is not an object");
  const { path: ownPath, size, mtime, sha256 } = value;
  if (ownPath !== undefined && ownPath !== path) throw malformed("holds an entry whose 'path' is not its key");
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)
    throw malformed("holds an entry whose 'size' is not a count of bytes");
  if (typeof mtime !== "number" || !Number.isFinite(mtime))
    throw malformed("holds an entry whose 'mtime' is not a number of seconds");
  if (typeof sha256 !== "string" || !SHA256_HEX.test(sha256))
    throw malformed("holds an entry whose 'sha256' is not 64 lower-case hex digits");
  return { path, size, mtime, sha256 };
}

function malformed(fault: string): SyncError {
  return new SyncError("manifest_malformed", `the manifest ${fault}`);
}
