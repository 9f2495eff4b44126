import { SyncError } from "../../core/errors.ts";
import type { DriveFile } from "./drive-file.ts";
import { type DrivePlace, fileNameOf, isAt, isUnclaimed, propertiesOf } from "./names.ts";
import { statusOf } from "./refusal.ts";
import type { Deletion } from "./remove.ts";
import type { StoreTools } from "./store.ts";
import { checkStored, hasContent, type NewContent } from "./stored.ts";

export interface CopyOrder {
  readonly from: string;
  readonly fromPlace: DrivePlace;
  readonly to: string;
  readonly toPlace: DrivePlace;
  readonly ifVersion: string | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Conditions of a file belong to the file and not to its copy. */
const OWN_PROPERTIES = { comfyvn_next: null };

/**
 * A copy of the file in Drive, under a reserved id; what had the key before goes when the copy is there.
 * @throws SyncError `object_missing`, `precondition_failed`; as `DriveConnection.send`
 */
export async function copyFile(tools: StoreTools, deletion: Deletion, order: CopyOrder): Promise<DriveFile> {
  const { files, catalog, ids, pending, recent } = tools;
  const { from, to, toPlace, signal } = order;
  const { file, content } = await sourceOf(tools, order);
  if (from === to) return file;
  await catalog.locateToWrite(to, toPlace, signal);
  const id = pending.of(to) ?? (await ids.take(signal));
  pending.set(to, id);
  await recent.begins(to, id);
  const appProperties = { ...OWN_PROPERTIES, ...propertiesOf(toPlace, file) };
  const parents = [catalog.folderOf(toPlace).id];
  let copied: DriveFile;
  try {
    copied = await files.copy(file.id, { id, name: fileNameOf(toPlace), parents, appProperties }, signal);
  } catch (error) {
    const again = statusOf(error) === 409 ? await files.get(id, signal) : undefined;
    if (statusOf(error) === 409 || (error instanceof SyncError && !error.retryable)) pending.clear(to);
    if (statusOf(error) === 404) catalog.removed(from, file.id);
    if (again === undefined || !hasContent(again, content)) throw error;
    copied = again;
  }
  pending.clear(to);
  catalog.wrote(to, copied);
  try {
    if (!hasContent(copied, content)) throw replaced();
    checkStored(copied, toPlace, content);
  } catch (error) {
    await deletion.removeFile(to, toPlace, copied, signal);
    throw error;
  }
  await removeOthers(tools, deletion, order, copied);
  return copied;
}

/**
 * The same file under another key, by its metadata alone. One of the Python studio's that other snapshots may mean is
 * copied instead.
 * @throws as `copyFile`
 */
export async function moveFile(tools: StoreTools, deletion: Deletion, order: CopyOrder): Promise<DriveFile> {
  const { files, catalog, pending, recent } = tools;
  const { from, fromPlace, to, toPlace, signal } = order;
  const done = await movedBefore(tools, order);
  if (done !== undefined) {
    await removeOthers(tools, deletion, order, done);
    return done;
  }
  const { file } = await sourceOf(tools, order);
  if (from === to) return file;
  const shared =
    fromPlace.kind === "object" && isUnclaimed(file) && !(await catalog.legacy.areOf(fromPlace.snapshot, signal));
  if (shared || catalog.folderOf(fromPlace) !== catalog.folderOf(toPlace))
    return await copyFile(tools, deletion, order);
  await catalog.locateToWrite(to, toPlace, signal);
  const appProperties = { ...OWN_PROPERTIES, ...propertiesOf(toPlace, file) };
  pending.set(moveName(order), file.id);
  await recent.begins(to, file.id);
  const moved = await files.update(file.id, { name: fileNameOf(toPlace), appProperties }, signal);
  await settleMove(tools, order, moved);
  if (moved.version !== file.version) throw replaced();
  await removeOthers(tools, deletion, order, moved);
  return moved;
}

/** Removes what had the key before, an earlier attempt's copy included: one that is newer would count instead of `file`. */
async function removeOthers(
  { catalog, recent }: StoreTools,
  deletion: Deletion,
  { to, toPlace, signal }: CopyOrder,
  file: DriveFile,
): Promise<void> {
  const others = catalog.known(to).filter(({ id }) => id !== file.id);
  for (const other of others) await deletion.removeFile(to, toPlace, other, signal);
  // The removals have noted that the key's file is gone.
  if (others.length > 0) await recent.begins(to, file.id);
}

/** What an earlier attempt has moved, when its answer was lost. */
async function movedBefore(tools: StoreTools, order: CopyOrder): Promise<DriveFile | undefined> {
  const id = tools.pending.of(moveName(order));
  const file = id === undefined ? undefined : await tools.files.get(id, order.signal);
  if (file === undefined || file.trashed || !isAt(file, order.toPlace)) return undefined;
  await settleMove(tools, order, file);
  return file;
}

async function settleMove({ catalog, pending, recent }: StoreTools, order: CopyOrder, moved: DriveFile): Promise<void> {
  pending.clear(moveName(order));
  await recent.ends(order.from);
  catalog.left(order.from, moved.id);
  catalog.isAbsent(order.from);
  catalog.wrote(order.to, moved);
}

/** No key holds a NUL, so that it is none of theirs. */
function moveName({ from, to }: CopyOrder): string {
  return `${from}\0${to}`;
}

async function sourceOf(
  { catalog }: StoreTools,
  { from, fromPlace, ifVersion, signal }: CopyOrder,
): Promise<{ readonly file: DriveFile; readonly content: NewContent }> {
  const file = await catalog.locate(from, fromPlace, signal);
  if (file === undefined) throw new SyncError("object_missing", "the object to copy does not exist");
  if (ifVersion !== undefined && file.version !== ifVersion)
    throw new SyncError("precondition_failed", "the object to copy is in another version");
  if (file.size === undefined || file.sha256 === undefined)
    throw new SyncError("provider_unsupported", "Drive has no checksum of the object; it cannot be copied safely");
  return { file, content: { size: file.size, sha256: file.sha256 } };
}

function replaced(): SyncError {
  return new SyncError("precondition_failed", "the object was replaced while it was copied");
}
