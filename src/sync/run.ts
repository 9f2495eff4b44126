import { isoUtc } from "../core/clock.ts";
import { SyncError, throwIfAborted, toSyncError } from "../core/errors.ts";
import type { RelativePath } from "../core/paths.ts";
import type { SyncChange } from "../manifest/diff.ts";
import { type Manifest, orderedEntries } from "../manifest/manifest.ts";
import { type ManifestSummary, summariseManifest } from "../manifest/summary.ts";
import { type Application, applyDeletes, applyUploads, blockingDeletes } from "./apply-plan.ts";
import { planFor, planWarnings, scanFor } from "./dry-run.ts";
import type { Engine, RunJob } from "./engine.ts";
import type { PlanResult, SyncPlan } from "./plan.ts";
import { ProgressCounter } from "./progress.ts";
import { publishManifest } from "./published-manifest.ts";
import { loadRemoteState, type RemoteState } from "./remote-state.ts";
import { journalPath, openJournal, readJournal } from "./run-journal.ts";
import { putMarker } from "./run-marker.ts";
import { type RemoteManifestSummary, type RunSummary, summariseRemote } from "./summary.ts";

export interface RunResult {
  readonly manifest: ManifestSummary;
  readonly plan: SyncPlan;
  readonly summary: RunSummary;
  /** The local cache holds the new manifest. */
  readonly committed: boolean;
  /** What the destination publishes now. */
  readonly remote_manifest: RemoteManifestSummary | null;
}

/**
 * Makes the destination equal to the workspace: uploads, then deletes, then the manifest, which is published (remote
 * and cache) only when nothing failed. A file that fails is listed and the rest goes on; a later run finishes the work.
 * @throws SyncError before anything is changed: `run_in_progress`, `delete_guard`, `root_missing`,
 * `remote_manifest_invalid`, what the provider throws while it is read. Afterwards: `aborted`, `manifest_conflict`
 */
export async function runSync(engine: Engine, job: RunJob): Promise<RunResult> {
  const startedAtMs = engine.clock.now();
  const tell = (status: "ok" | "partial" | "failed" | "aborted", result?: RunResult, code?: string) =>
    engine.events.emit({
      type: "sync.run",
      service: job.service,
      snapshot: job.layout.snapshot,
      paths: job.scope.include,
      status,
      uploads: result?.summary.uploads.length ?? 0,
      deletes: result?.summary.deletes.length ?? 0,
      skipped: result?.summary.skipped.length ?? 0,
      bytes: result?.summary.bytes_uploaded ?? 0,
      errors: result?.summary.errors.length ?? 0,
      durationMs: engine.clock.now() - startedAtMs,
      ...(code === undefined ? {} : { code }),
    });
  try {
    const result = await withRunLock(engine, job, () => runLocked(engine, job));
    tell(result.summary.status, result);
    return result;
  } catch (error) {
    const { code } = toSyncError(error);
    tell(code === "aborted" ? "aborted" : "failed", undefined, code);
    throw error;
  }
}

/** One run at a time writes a snapshot of a destination: the lock holds against other processes on this machine too. */
async function withRunLock<T>(engine: Engine, job: RunJob, run: () => Promise<T>): Promise<T> {
  const path = `${journalPath(engine, job.provider, job.layout)}.lock`;
  const lock = await engine.files.lock(path, { timeoutMs: 0 }).catch((error: unknown) => {
    if (!(error instanceof SyncError) || error.code !== "lock_busy") throw error;
    throw new SyncError("run_in_progress", "another run is writing this snapshot; wait for it to end", { cause: error });
  });
  try {
    return await run();
  } finally {
    lock.release();
  }
}

async function runLocked(engine: Engine, job: RunJob): Promise<RunResult> {
  const journalFile = journalPath(engine, job.provider, job.layout);
  const remote = await loadRemoteState(job.provider, job.layout, () => readJournal(engine.files, journalFile), job.signal);
  const scan = await scanFor(engine, job);
  const planned = planFor(job, scan, remote.effective, job.provider, remote);
  const { plan } = planned;
  if (plan.guard !== null && !job.confirmDeletes) throw guardError(plan);

  const application = await apply(engine, job, planned, remote, journalFile);
  const ok = application.errors.length === 0;
  const committed = ok && job.commitManifest;
  if (committed) await engine.cache.save(job.service, job.layout.snapshot, planned.target);
  return {
    manifest: await summariseManifest(scan.manifest, job.scope, scan.skipped, engine.newHasher),
    plan,
    summary: {
      service: job.service,
      snapshot: plan.snapshot,
      root: scan.manifest.root,
      uploads: application.uploaded,
      deletes: application.deleted,
      skipped: plan.unchanged.map((change) => change.path),
      status: ok ? "ok" : "partial",
      errors: application.errors,
      bytes_uploaded: application.bytesUploaded,
      warnings: [...planWarnings(planned), ...storeWarnings(job)],
    },
    committed,
    remote_manifest: await summariseRemote(ok ? planned.target : remote.published?.manifest, "remote", engine.newHasher),
  };
}

/** Carries the plan out and publishes. What already arrived is in the journal, so that nothing is lost by an abort. */
async function apply(
  engine: Engine,
  job: RunJob,
  planned: PlanResult,
  remote: RemoteState,
  journalFile: string,
): Promise<Application> {
  const { plan } = planned;
  const application: Application = {
    engine,
    job,
    journal: await openJournal(engine.files, journalFile),
    progress: new ProgressCounter(engine.events, engine.clock, {
      service: job.service,
      snapshot: plan.snapshot,
      filesTotal: plan.files_to_upload + plan.files_to_delete,
      bytesTotal: plan.bytes_to_upload,
    }),
    versions: new Map(remote.versions),
    uploaded: [],
    deleted: [],
    errors: [],
    bytesUploaded: 0,
  };
  try {
    await change(application, planned, remote);
  } finally {
    await application.journal.close();
  }
  if (application.errors.length === 0) await engine.files.remove(journalFile);
  return application;
}

async function change(application: Application, planned: PlanResult, remote: RemoteState): Promise<void> {
  const { engine, job, progress } = application;
  const { plan } = planned;
  const changes = plan.uploads.length + plan.deletes.length > 0;
  if (!changes && remote.marker === undefined && sameContent(planned.target, remote)) return;

  let publishedVersion = remote.published?.objectVersion;
  if (changes) {
    await putMarker(job.provider, job.layout, markerFor(plan, remote), isoUtc(engine.clock.now()), engine.newHasher, job.signal);
  }
  if (plan.deletes.length > 0 && remote.published !== undefined) {
    publishedVersion = await withdraw(application, plan.deletes, remote, remote.published.objectVersion);
  }
  const first = job.provider.capabilities.hierarchicalKeys ? blockingDeletes(plan.deletes, plan.uploads) : [];
  await applyDeletes(application, first);
  progress.phase("upload");
  await applyUploads(application, plan.uploads);
  progress.phase("delete");
  await applyDeletes(application, safeDeletes(application, plan, new Set(first)));
  if (application.errors.length > 0) return;

  throwIfAborted(job.signal);
  progress.phase("publish");
  const document = { manifest: planned.target, versions: knownVersions(application, planned.target), deleting: new Set<RelativePath>() };
  await publishManifest(job.provider, job.layout, document, publishedVersion, engine.newHasher, job.signal);
  await job.provider.delete([job.layout.markerKey]);
}

/**
 * Takes the files that are about to be deleted out of the published manifest first: at no moment does it name an object
 * that is missing, not even when the run is killed between the deletes and its own publish.
 */
async function withdraw(
  application: Application,
  deletes: readonly SyncChange[],
  remote: RemoteState,
  objectVersion: string,
): Promise<string> {
  const { engine, job } = application;
  const deleting = new Set([...(remote.published?.deleting ?? []), ...deletes.map((change) => change.path)]);
  const before = remote.published?.manifest;
  if (before === undefined) return objectVersion;
  const entries = orderedEntries([...before.entries.values()].filter((entry) => !deleting.has(entry.path)));
  const versions = new Map([...(remote.published?.versions ?? [])].filter(([path]) => entries.has(path)));
  const document = { manifest: { ...before, entries }, versions, deleting };
  return await publishManifest(job.provider, job.layout, document, objectVersion, engine.newHasher, job.signal);
}

/** Every path whose object this run, or an interrupted one before it, may write. */
function markerFor(plan: SyncPlan, remote: RemoteState): { readonly touched: ReadonlySet<RelativePath> } {
  const touched = new Set(remote.marker?.touched ?? []);
  for (const { path } of plan.uploads) touched.add(path);
  return { touched };
}

/**
 * The deletes still to do. One whose content failed to arrive under another name is left for a later run: until then
 * it may be the only copy out there.
 */
function safeDeletes({ errors }: Application, plan: SyncPlan, done: ReadonlySet<SyncChange>): SyncChange[] {
  const failed = new Set(errors.map((error) => error.path));
  const wanted = new Set(plan.uploads.filter((change) => failed.has(change.path)).map((change) => change.sha256));
  return plan.deletes.filter((change) => !done.has(change) && !wanted.has(change.sha256));
}

/** The published manifest says already all that this run would publish: nothing is written. */
function sameContent(target: Manifest, remote: RemoteState): boolean {
  const published = remote.published;
  if (published === undefined || published.deleting.size > 0) return false;
  const entries = published.manifest.entries;
  if (entries.size !== target.entries.size) return false;
  for (const { path, sha256, mtime } of target.entries.values()) {
    const there = entries.get(path);
    if (there?.sha256 !== sha256 || there.mtime !== mtime) return false;
  }
  return true;
}

function knownVersions({ versions }: Application, target: Manifest): ReadonlyMap<RelativePath, string> {
  const known = new Map<RelativePath, string>();
  for (const path of target.entries.keys()) {
    const version = versions.get(path);
    if (version !== undefined) known.set(path, version);
  }
  return known;
}

function guardError(plan: SyncPlan): SyncError {
  const guard = plan.guard;
  return new SyncError(
    "delete_guard",
    `this run would delete ${guard?.deletes ?? 0} of ${guard?.remote_in_scope ?? 0} remote files in scope` +
      `${(guard?.missing_include_paths ?? 0) > 0 ? `, among them everything under ${guard?.missing_include_paths ?? 0} include path(s) that do not exist here` : ""}. ` +
      "Nothing was changed. If that is what you want, send confirm_deletes: true",
    { details: { ...guard } },
  );
}

function storeWarnings(job: RunJob): string[] {
  if (job.provider.capabilities.conditionalPut) return [];
  return ["this store ignores conditional writes: two machines that write this snapshot at once could overwrite each other's manifest"];
}
