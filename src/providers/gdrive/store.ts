import { SyncError } from "../../core/errors.ts";
import type { ByteSource, PutOptions } from "../contract.ts";
import { sha256Hex } from "../../core/hash.ts";
import { checkContent, readExactly } from "../transfer/content.ts";
import type { Catalog } from "./catalog.ts";
import type { DriveConnection } from "./connection.ts";
import type { DriveFile } from "./drive-file.ts";
import type { DriveFiles, FileMetadata } from "./drive-files.ts";
import type { IdPool } from "./id-pool.ts";
import { type DrivePlace, fileNameOf, isAt, isUnclaimed, propertiesOf } from "./names.ts";
import { reasonOf, statusOf } from "./refusal.ts";
import { recordedUpload, uploadResumable } from "./resumable-upload.ts";
import { multipartBody, sendMultipart } from "./small-upload.ts";
import { checkStored, hasContent, type NewContent } from "./stored.ts";
import type { RecordedUpload } from "./upload-record.ts";
import type { UploadTarget } from "./upload-target.ts";
import type { PendingIds } from "./pending-ids.ts";
import type { RecentFiles } from "./recent-files.ts";

/** What storing takes; one for each provider. */
export interface StoreTools {
  readonly connection: DriveConnection;
  readonly files: DriveFiles;
  readonly catalog: Catalog;
  readonly ids: IdPool;
  readonly pending: PendingIds;
  readonly recent: RecentFiles;
  /** Who writes: the same after a kill, another one on every other machine and in every other workspace. */
  readonly writer: () => Promise<string>;
}

/** What to store where. */
export interface StoreOrder {
  readonly key: string;
  readonly place: DrivePlace;
  readonly source: ByteSource;
  readonly options: PutOptions;
  /** The file whose content is replaced; undefined makes one. */
  readonly existing: DriveFile | undefined;
  /** Further properties of the file. */
  readonly properties?: Readonly<Record<string, string | null>>;
}

/**
 * Stores content as the file of a key: in place where there is one, which Drive does as a whole and which keeps its id,
 * its shares and its older revisions; else as a new file with a reserved id, so that a repeat makes no second one. What
 * Drive says it has stored is compared with what was hashed.
 * @throws SyncError `content_mismatch`, `file_changed`, `key_invalid`; as `DriveConnection.send`
 */
export async function storeContent(tools: StoreTools, order: StoreOrder): Promise<DriveFile> {
  const { catalog, connection } = tools;
  const { key, place, source, options } = order;
  await catalog.folderOf(place).checkOnce(options.signal);
  const content: NewContent = { size: source.size, sha256: options.sha256 };
  const there = await alreadyThere(tools, order, content);
  if (there !== undefined) {
    catalog.wrote(key, there);
    await options.resume?.clear();
    options.onBytes?.(source.size);
    return there;
  }
  const sent = source.size < connection.limits.multipartBytesMax ? await storeSmall(tools, order, content) : undefined;
  const file = sent ?? (await storeLarge(tools, order, content));
  catalog.wrote(key, file);
  try {
    checkStored(file, place, content);
  } catch (error) {
    // What was there before is gone already where it was replaced; a new file has no claim to stay.
    if (order.existing?.id !== file.id) await removeQuietly(tools, key, file.id);
    throw error;
  }
  return file;
}

/**
 * The file, when it has the content already: an earlier run stored it and was cut off, or the Python studio did. Then
 * at most its properties are written.
 */
async function alreadyThere(
  { files, catalog }: StoreTools,
  { place, existing, properties, options }: StoreOrder,
  content: NewContent,
): Promise<DriveFile | undefined> {
  if (existing === undefined || properties !== undefined || !hasContent(existing, content)) return undefined;
  const now = await files.get(existing.id, options.signal);
  const usable = now !== undefined && !now.trashed && now.parents.includes(catalog.folderOf(place).id);
  if (!usable || !hasContent(now, content) || !isAt(now, place)) return undefined;
  if (place.kind === "control" || !isUnclaimed(now)) return now;
  return await files.update(now.id, { appProperties: propertiesOf(place, now) }, options.signal);
}

/** undefined when metadata and content together are too much for one request. */
async function storeSmall(tools: StoreTools, order: StoreOrder, content: NewContent): Promise<DriveFile | undefined> {
  const { connection } = tools;
  const { source, options } = order;
  const { signal } = options;
  const release = await connection.budget.claim(source.size, signal);
  try {
    const bytes = await readAll(source);
    checkContent(sha256Hex(connection.context.newHasher, bytes), options.sha256);
    const { multipartBytesMax } = connection.limits;
    // The longest id and names take less than this.
    if (multipartBody(targetFor(tools, order, undefined, "x".repeat(64)), bytes, multipartBytesMax) === undefined)
      return undefined;
    const file = await withTarget(tools, order, content, async (target) => {
      const body = multipartBody(target, bytes, Number.POSITIVE_INFINITY);
      return body === undefined ? undefined : await sendMultipart(connection, target, body, signal);
    });
    await options.resume?.clear();
    options.onBytes?.(source.size);
    return file;
  } finally {
    release();
  }
}

async function storeLarge(tools: StoreTools, order: StoreOrder, content: NewContent): Promise<DriveFile> {
  const { connection, files } = tools;
  const { key, source, options } = order;
  let earlier: RecordedUpload | undefined = await recordedUpload(key, source.size, options);
  if (earlier !== undefined && !(await leadsToKey(tools, order, earlier))) {
    await options.resume?.clear();
    earlier = undefined;
  }
  const file = await withTarget(tools, order, content, async (target) => {
    const choose = async () => target;
    // Once: whoever is asked for another file has seen that the first one is gone.
    const goesOn = earlier;
    earlier = undefined;
    return await uploadResumable(connection, key, source, options, choose, goesOn);
  });
  // The answer of a resumed upload has the fields that were asked for when it began.
  return file.parents.length > 0 ? file : ((await files.get(file.id, options.signal)) ?? file);
}

/** False when the file that an upload began with is not the key's by now: it was replaced, removed, or has another key. */
async function leadsToKey(
  { files }: StoreTools,
  { existing, place, options }: StoreOrder,
  { plan }: RecordedUpload,
): Promise<boolean> {
  if (!plan.isNew) return existing?.id === plan.fileId;
  if (existing !== undefined) return false;
  const file = await files.get(plan.fileId, options.signal);
  return file === undefined || (!file.trashed && isAt(file, place));
}

/**
 * Runs `send` for the file that the order is about. One that has gone or lies in the trash is replaced by a new one; an
 * id that is in use is our own earlier attempt, whose answer was lost, and is compared.
 */
async function withTarget(
  tools: StoreTools,
  order: StoreOrder,
  content: NewContent,
  send: (target: UploadTarget) => Promise<DriveFile | undefined>,
): Promise<DriveFile> {
  const { catalog, ids, pending, recent } = tools;
  const { key, place, options } = order;
  if (order.existing !== undefined) {
    const file = await replaced(tools, order, order.existing, send);
    if (file !== undefined) return file;
    catalog.removed(key, order.existing.id);
  }
  for (let attempt = 1; ; attempt++) {
    const id = pending.of(key) ?? (await begunBefore(tools, key, options.signal)) ?? (await ids.take(options.signal));
    pending.set(key, id);
    await recent.begins(key, id);
    const target = targetFor(tools, order, undefined, id);
    try {
      const file = await send(target);
      pending.clear(key);
      if (file !== undefined) return file;
    } catch (error) {
      if (statusOf(error) !== 409) {
        if (isFinal(error)) pending.clear(key);
        throw missingFolder(error, place);
      }
      pending.clear(key);
      const own = await tools.files.get(id, options.signal);
      if (own !== undefined && !own.trashed && isAt(own, place)) {
        if (hasContent(own, content)) return own;
        // Of an attempt with other content: it is the key's file now.
        return await withTarget(tools, { ...order, existing: own }, content, send);
      }
      if (attempt > 1) throw error;
    }
  }
}

/**
 * The id of a create that was cut off with its process, where there is no such file yet: the request may still arrive.
 * An id whose file is there, and was not found for this key, has become another key's.
 */
async function begunBefore(
  { files, recent }: StoreTools,
  key: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const id = await recent.takeUp(key);
  return id === undefined || (await files.get(id, signal)) !== undefined ? undefined : id;
}

/** undefined when the file has gone. */
async function replaced(
  tools: StoreTools,
  order: StoreOrder,
  existing: DriveFile,
  send: (target: UploadTarget) => Promise<DriveFile | undefined>,
): Promise<DriveFile | undefined> {
  try {
    const file = await send(targetFor(tools, order, existing, existing.id));
    const inPlace =
      file !== undefined && !file.trashed && file.parents.includes(tools.catalog.folderOf(order.place).id);
    return inPlace ? file : undefined;
  } catch (error) {
    if (error instanceof SyncError && error.code === "object_missing") return undefined;
    throw error;
  }
}

function targetFor(tools: StoreTools, order: StoreOrder, existing: DriveFile | undefined, id: string): UploadTarget {
  const { place, options, properties } = order;
  const appProperties = { ...propertiesOf(place, existing), ...properties };
  const contentType = options.contentType ?? "application/octet-stream";
  const metadata: FileMetadata =
    existing === undefined
      ? {
          id,
          name: fileNameOf(place),
          mimeType: contentType,
          parents: [tools.catalog.folderOf(place).id],
          appProperties,
        }
      : { ...(existing.name === fileNameOf(place) ? {} : { name: fileNameOf(place) }), appProperties };
  return { fileId: id, isNew: existing === undefined, metadata, contentType };
}

/** What a search for the key's file finds, with the studio's files only where they may be written over. */
export async function writableFile(
  { catalog }: StoreTools,
  file: DriveFile | undefined,
  place: DrivePlace,
  signal: AbortSignal | undefined,
): Promise<DriveFile | undefined> {
  if (file === undefined || place.kind === "control" || !isUnclaimed(file)) return file;
  return (await catalog.legacy.areOf(place.snapshot, signal)) ? file : undefined;
}

async function readAll(source: ByteSource): Promise<Uint8Array> {
  const open = await source.open();
  try {
    return await readExactly(open, 0, source.size);
  } finally {
    await open.close();
  }
}

/** For a caller who has an error to report already. */
async function removeQuietly({ files, catalog, connection }: StoreTools, key: string, id: string): Promise<void> {
  const signal = AbortSignal.timeout(connection.limits.abortMs);
  try {
    await files.remove(id, signal);
  } catch {
    await files.update(id, { trashed: true }, signal).catch(() => undefined);
  }
  catalog.removed(key, id);
}

/** Nothing was stored, and a repeat would not be the same request. */
function isFinal(error: unknown): boolean {
  return error instanceof SyncError && !error.retryable && error.code !== "aborted";
}

/** A file that is made has nothing to miss but its folder. */
function missingFolder(error: unknown, place: DrivePlace): unknown {
  const missing = error instanceof SyncError && error.code === "object_missing" && reasonOf(error) !== undefined;
  if (!missing) return error;
  const setting = place.kind === "control" ? "manifest_parent_id" : "parent_id";
  return new SyncError("provider_container_missing", `the Drive folder of ${setting} is gone`, { cause: error });
}
