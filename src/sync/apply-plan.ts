import { throwIfAborted, toSyncError } from "../core/errors.ts";
import type { RelativePath } from "../core/paths.ts";
import type { SyncChange } from "../manifest/diff.ts";
import type { Manifest } from "../manifest/manifest.ts";
import type { ObjectInfo } from "../providers/contract.ts";
import { AdaptiveWidth } from "./adaptive-width.ts";
import { atMost } from "../core/at-most.ts";
import type { Engine, FileError, RunJob } from "./engine.ts";
import type { Lease } from "./lease.ts";
import { localSource } from "./local-source.ts";
import type { PlannedUpload } from "./plan.ts";
import type { ProgressCounter } from "./progress.ts";
import type { RunJournal } from "./run-journal.ts";
import type { UploadRecordFiles } from "./upload-records.ts";

/** What applying a plan needs and fills in. */
export interface Application {
  readonly engine: Engine;
  /** Its signal fires with the run's and with the lease's end. */
  readonly job: RunJob & { readonly signal: AbortSignal };
  readonly lease: Lease;
  /** Fires with the run's end by its caller alone. */
  readonly cancelled: AbortSignal | undefined;
  readonly journal: RunJournal;
  readonly progress: ProgressCounter;
  /** Versions of what the store holds; uploads add theirs, deletes take theirs away. */
  readonly versions: Map<RelativePath, string>;
  readonly uploaded: Set<RelativePath>;
  readonly deleted: Set<RelativePath>;
  /** What has gone by getting another name. */
  readonly moved: Set<RelativePath>;
  readonly errors: FileError[];
  /** True once a request has failed without an answer: the store may still carry it out. */
  hasUnanswered: boolean;
  /** For the user, of trouble that no file suffers from. */
  readonly warnings: string[];
  /** Where uploads of earlier runs stopped. */
  readonly records: UploadRecordFiles;
  /** Content bytes that arrived; copies inside the store count none. */
  bytesUploaded: number;
  /** What the destination publishes until the run does: less than before it once deletes are withdrawn. */
  published: Manifest | undefined;
}

/** Larger files go in parts, several at once: they have lanes of their own, so that neither kind waits for the other. */
const SMALL_BYTES_MAX = 16 * 1024 * 1024;
const LARGE_AT_ONCE = 2;
const SMALL_AT_ONCE = { min: 2, start: 64 };

/**
 * Uploads everything, a bounded number at once. A file that fails is listed and the rest goes on.
 * @param movable sources that may go away with the copy
 * @throws SyncError `aborted`
 */
export async function applyUploads(
  application: Application,
  uploads: readonly PlannedUpload[],
  movable: ReadonlySet<RelativePath>,
): Promise<void> {
  const { engine, job } = application;
  const max = engine.concurrencyMax;
  const bounds = { min: Math.min(SMALL_AT_ONCE.min, max), start: Math.min(SMALL_AT_ONCE.start, max), max };
  const width = new AdaptiveWidth(bounds, engine.clock);
  job.onStrain(() => width.strained());
  const isSmall = ({ size = 0 }: PlannedUpload) => size <= SMALL_BYTES_MAX;
  const ended = await Promise.allSettled([
    atMost(
      () => Math.min(LARGE_AT_ONCE, max),
      uploads.filter((change) => !isSmall(change)),
      async (change) => {
        await uploadOne(application, change, movable);
      },
    ),
    atMost(
      () => width.width,
      uploads.filter(isSmall),
      async (change) => {
        if (await uploadOne(application, change, movable)) width.finished();
      },
    ),
  ]);
  // Thrown once both have ended: what arrives until then is still noted, and the lease still held.
  for (const each of ended) if (each.status === "rejected") throw each.reason;
}

/** True when it arrived. @throws SyncError `aborted`, `manifest_conflict` */
async function uploadOne(
  application: Application,
  change: PlannedUpload,
  movable: ReadonlySet<RelativePath>,
): Promise<boolean> {
  const { job } = application;
  throwIfAborted(job.signal);
  application.lease.check();
  try {
    const { version } = await storeOne(application, change, movable);
    application.versions.set(change.path, version);
    application.journal.add({ path: change.path, size: change.size ?? 0, sha256: change.sha256 ?? "", version });
    application.uploaded.add(change.path);
    application.progress.fileDone();
    return true;
  } catch (error) {
    fail(application, "upload", change.path, error);
    return false;
  }
}

/** One object, by a copy inside the store where the plan has a source and that is still what it was. */
async function storeOne(
  application: Application,
  { source, ...change }: PlannedUpload,
  movable: ReadonlySet<RelativePath>,
): Promise<ObjectInfo> {
  const { job, versions } = application;
  const ifVersion = source === undefined ? undefined : versions.get(source);
  if (source !== undefined && ifVersion !== undefined) {
    const [from, to] = [job.layout.objectKey(source), job.layout.objectKey(change.path)];
    try {
      if (!movable.has(source) || job.provider.move === undefined)
        return await job.provider.copy(from, to, { ifVersion, signal: job.signal });
      const moved = await job.provider.move(from, to, { ifVersion, signal: job.signal });
      versions.delete(source);
      application.moved.add(source);
      return moved;
    } catch (thrown) {
      const { code } = toSyncError(thrown);
      if (code !== "object_missing" && code !== "precondition_failed" && code !== "provider_unsupported") throw thrown;
    }
  }
  return await sendOne(application, change);
}

async function sendOne(application: Application, change: PlannedUpload): Promise<ObjectInfo> {
  const { engine, job, progress } = application;
  const size = change.size ?? 0;
  const nativePath = engine.files.join(engine.root, ...change.path.split("/"));
  const key = job.layout.objectKey(change.path);
  const stored = await job.provider.put(key, localSource(engine.files, engine.tree, nativePath, size), {
    sha256: change.sha256 ?? "",
    onBytes: (count) => progress.bytes(count),
    resume: application.records.of(key),
    signal: job.signal,
  });
  application.bytesUploaded += size;
  return stored;
}

/** Deletes in batches, reporting each file's own outcome. @throws SyncError `aborted` */
export async function applyDeletes(application: Application, deletes: readonly SyncChange[]): Promise<void> {
  const { job } = application;
  for (let at = 0; at < deletes.length; at += job.provider.capabilities.deleteBatchMax) {
    throwIfAborted(job.signal);
    application.lease.check();
    const batch: SyncChange[] = [];
    for (const change of deletes.slice(at, at + job.provider.capabilities.deleteBatchMax)) {
      if (application.moved.has(change.path)) deletedOne(application, change.path);
      else batch.push(change);
    }
    if (batch.length === 0) continue;
    try {
      const keys = batch.map((change) => job.layout.objectKey(change.path));
      const outcomes = await job.provider.delete(keys, { signal: job.signal });
      for (const [index, { path }] of batch.entries()) {
        const error = outcomes[index]?.error;
        if (error !== undefined) {
          fail(application, "delete", path, error);
          continue;
        }
        deletedOne(application, path);
      }
    } catch (error) {
      for (const { path } of batch) fail(application, "delete", path, error);
    }
  }
}

function deletedOne({ deleted, versions, progress }: Application, path: RelativePath): void {
  deleted.add(path);
  versions.delete(path);
  progress.fileDone();
}

/** Deletes that free the way for an upload where a file cannot have the name of a folder: `a` before `a/b` and `a/b` before `a`. */
export function blockingDeletes(deletes: readonly SyncChange[], uploads: readonly PlannedUpload[]): SyncChange[] {
  const folders = new Set<RelativePath>();
  const files = new Set(uploads.map((change) => change.path));
  for (const { path } of uploads) {
    for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1))
      folders.add(path.slice(0, slash));
  }
  return deletes.filter(({ path }) => {
    if (folders.has(path)) return true;
    for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
      if (files.has(path.slice(0, slash))) return true;
    }
    return false;
  });
}

/** An abort ends the run; anything else is that file's own trouble. */
function fail(application: Application, action: FileError["action"], path: RelativePath, thrown: unknown): void {
  const error = toSyncError(thrown);
  if (error.code === "aborted") throw error;
  application.hasUnanswered ||= error.retryable;
  application.errors.push({ action, path, error: error.message, code: error.code });
}
