import { SyncError, toSyncError } from "../core/errors.ts";
import type { RelativePath } from "../core/paths.ts";
import type { SyncChange } from "../manifest/diff.ts";
import type { Manifest } from "../manifest/manifest.ts";
import type { ScanResult } from "../manifest/scan.ts";
import { countManifest, type ManifestSummary } from "../manifest/summary.ts";
import { absentPathWarnings } from "./absent-paths.ts";
import { alongside } from "./alongside.ts";
import type { Application } from "./apply-plan.ts";
import { carryOut, isUpToDate } from "./carry-out.ts";
import { planFor, planWarnings, scanFor } from "./dry-run.ts";
import type { Engine, RunJob, SyncJob } from "./engine.ts";
import { acquireLease, type Lease } from "./lease.ts";
import type { PlanResult, SyncPlan } from "./plan.ts";
import { ProgressCounter } from "./progress.ts";
import { loadRemoteState, type RemoteState } from "./remote-state.ts";
import { journalPath, openJournal, readJournal } from "./run-journal.ts";
import { type RemoteManifestSummary, type RunSummary, summariseRemote } from "./summary.ts";
import { UploadRecordFiles } from "./upload-records.ts";

export interface RunResult {
  readonly manifest: ManifestSummary;
  readonly plan: SyncPlan;
  readonly summary: RunSummary;
  /** The local cache holds the new manifest. */
  readonly committed: boolean;
  /** What the destination publishes now. */
  readonly remote_manifest: RemoteManifestSummary | null;
}

/** How often a plan is made anew because another machine published meanwhile. */
const PLAN_ATTEMPTS_MAX = 3;

/**
 * Makes the destination equal to the workspace: uploads, then deletes, then the manifest, which is published (remote
 * and cache) only when nothing failed. A file that fails is listed and the rest goes on; a later run finishes the work.
 * @throws SyncError before anything is changed: `run_in_progress`, `delete_guard`, `root_missing`,
 * `remote_manifest_invalid`, what the provider throws while it is read. Afterwards: `aborted`, `manifest_conflict`
 */
export async function runSync(engine: Engine, job: RunJob): Promise<RunResult> {
  const startedAtMs = engine.clock.now();
  const soFar: RunSoFar = {};
  try {
    const result = await withRunLock(engine, job, () => runLocked(engine, job, soFar));
    tellEnd(engine, job, soFar, startedAtMs, result.summary.status);
    return result;
  } catch (error) {
    tellEnd(engine, job, soFar, startedAtMs, toSyncError(error));
    throw error;
  }
}

/** Tells of a run that could not begin, as of one that failed: its destination could not be opened. */
export function tellNotBegun(engine: Engine, job: SyncJob, error: unknown): void {
  tellEnd(engine, job, {}, engine.clock.now(), toSyncError(error));
}

function tellEnd(
  engine: Engine,
  job: SyncJob,
  { plan, application }: RunSoFar,
  startedAtMs: number,
  outcome: "ok" | "partial" | SyncError,
): void {
  const failure = outcome instanceof SyncError ? outcome : undefined;
  const failed = failure?.code === "aborted" ? "aborted" : "failed";
  const errors = application?.errors ?? [];
  engine.events.emit({
    type: "sync.run",
    service: job.service,
    snapshot: job.layout.snapshot,
    paths: job.scope.include,
    status: outcome instanceof SyncError ? failed : outcome,
    uploads: application?.uploaded.size ?? 0,
    deletes: application?.deleted.size ?? 0,
    skipped: plan?.unchanged.length ?? 0,
    bytes: application?.bytesUploaded ?? 0,
    errors: errors.length,
    ...(errors.length === 0 ? {} : { failures: errors.slice(0, FAILURES_TOLD_MAX) }),
    durationMs: engine.clock.now() - startedAtMs,
    ...(failure === undefined ? {} : { code: failure.code, error: failure.message }),
  });
}

/** A line of the log stays readable when every file of a large tree fails. */
const FAILURES_TOLD_MAX = 20;

/** How far a run has come: it is told of however the run ends. */
interface RunSoFar {
  plan?: SyncPlan;
  application?: Application;
}

/** One run at a time writes a snapshot of a destination: the lock holds against other processes on this machine too. */
async function withRunLock<T>(engine: Engine, job: RunJob, run: () => Promise<T>): Promise<T> {
  const path = `${journalPath(engine, job.provider, job.layout)}.lock`;
  const lock = await engine.files.lock(path, { timeoutMs: 0 }).catch((error: unknown) => {
    if (!(error instanceof SyncError) || error.code !== "lock_busy") throw error;
    throw new SyncError("run_in_progress", "another run is writing this snapshot; wait for it to end", {
      cause: error,
    });
  });
  try {
    return await run();
  } finally {
    lock.release();
  }
}

async function runLocked(engine: Engine, job: RunJob, soFar: RunSoFar): Promise<RunResult> {
  const journalFile = journalPath(engine, job.provider, job.layout);
  const look = (signal: AbortSignal | undefined) =>
    loadRemoteState(job.provider, job.layout, () => readJournal(engine.files, journalFile), signal);
  const scanning = (signal: AbortSignal) => scanFor(engine, { ...job, signal }, false);
  const [scan, found] = await alongside(scanning, look, job.signal);
  for (let attempt = 1; ; attempt++) {
    const remote = attempt === 1 ? found : await look(job.signal);
    const planned = await planFor(engine, job, scan, remote.effective, job.provider, remote);
    soFar.plan = planned.plan;
    if (planned.plan.guard !== null && !job.confirmDeletes) throw guardError(planned.plan);
    if (isUpToDate(planned, remote)) return await conclude(engine, job, scan, planned, remote, undefined);

    const applied = await withLease(engine, job, async (lease) => {
      if (!(await isStillCurrent(job, remote))) return undefined;
      return await apply(engine, job, lease, planned, remote, journalFile, soFar);
    });
    if (applied !== undefined) return await conclude(engine, job, scan, planned, remote, applied);
    if (attempt === PLAN_ATTEMPTS_MAX) {
      throw new SyncError(
        "manifest_conflict",
        "other machines keep publishing this snapshot; try again when they are done",
      );
    }
  }
}

/** A run that ended between our look at the destination and our lease has made the plan stale. */
async function isStillCurrent(job: RunJob, remote: RemoteState): Promise<boolean> {
  const call = job.signal === undefined ? {} : { signal: job.signal };
  const [manifest, marker] = await Promise.all([
    job.provider.stat(job.layout.manifestKey, call),
    job.provider.stat(job.layout.markerKey, call),
  ]);
  return manifest?.version === remote.published?.objectVersion && marker?.version === remote.marker?.objectVersion;
}

async function withLease<T>(engine: Engine, job: RunJob, work: (lease: Lease) => Promise<T>): Promise<T> {
  const { newHasher, clock } = engine;
  const tools = { provider: job.provider, key: job.layout.leaseKey, holder: await engine.holder(), newHasher, clock };
  const lease = await acquireLease(tools, job.signal);
  try {
    return await work(lease);
  } catch (error) {
    // A lost lease stops the transfers by its signal: that is the cause, and the abort its effect.
    if (toSyncError(error).code === "aborted" && job.signal?.aborted !== true) lease.check();
    throw error;
  } finally {
    await lease.release();
  }
}

/** Writes the cache, and tells what came of it. Without an application nothing had to be done. */
async function conclude(
  engine: Engine,
  job: RunJob,
  scan: ScanResult,
  planned: PlanResult,
  remote: RemoteState,
  application: Application | undefined,
): Promise<RunResult> {
  const { plan, target } = planned;
  const errors = application?.errors ?? [];
  const ok = errors.length === 0;
  const warnings = [
    ...absentPathWarnings(job, scan, remote.effective),
    ...planWarnings(planned),
    ...leaseWarnings(application?.lease, job),
    ...(application?.warnings ?? []),
  ];
  const local = await countManifest(scan.manifest, engine.newHasher);
  const published = ok ? target : application?.published;
  // Mostly these are the very entries that the scan gave: their digests are known.
  const remoteManifest =
    published?.entries === scan.manifest.entries
      ? { ...local, source: "remote" as const }
      : await summariseRemote(published, "remote", engine.newHasher);
  // What stands at the destination was made when it was published: so the cache of an unchanged mirror stays as it is.
  const { created_at } = (application === undefined ? remote.published?.manifest : undefined) ?? target;
  const cached = { ...target, created_at };
  const committed =
    ok && job.commitManifest && (await saveCache(engine, job, cached, remoteManifest?.checksum, warnings));
  return {
    manifest: { ...local, include: job.scope.include, exclude: job.scope.exclude, skipped: planned.skipped },
    plan,
    summary: {
      service: job.service,
      snapshot: plan.snapshot,
      root: scan.manifest.root,
      uploads: inPlanOrder(plan.uploads, application?.uploaded ?? new Set()),
      deletes: inPlanOrder(plan.deletes, application?.deleted ?? new Set()),
      skipped: plan.unchanged.map((change) => change.path),
      status: ok ? "ok" : "partial",
      errors,
      bytes_uploaded: application?.bytesUploaded ?? 0,
      warnings: [...warnings, ...(job.provider.notices?.() ?? [])],
    },
    committed,
    remote_manifest: remoteManifest,
  };
}

/** False, and a warning, when the cache cannot be written: everything is published by then. */
async function saveCache(
  { cache }: Engine,
  { service, layout }: RunJob,
  manifest: Manifest,
  checksum: string | undefined,
  warnings: string[],
): Promise<boolean> {
  try {
    await cache.save(service, layout.snapshot, manifest, checksum);
    return true;
  } catch (thrown) {
    const { code, message } = toSyncError(thrown);
    warnings.push(
      `everything is published, but the local cache could not be written (${code}: ${message}); plans that cannot reach the destination know an older state`,
    );
    return false;
  }
}

/** Carries the plan out and publishes. What already arrived is in the journal, so that nothing is lost by an abort. */
async function apply(
  engine: Engine,
  job: RunJob,
  lease: Lease,
  planned: PlanResult,
  remote: RemoteState,
  journalFile: string,
  soFar: RunSoFar,
): Promise<Application> {
  const { plan } = planned;
  const application: Application = {
    engine,
    job: { ...job, signal: lease.signal },
    lease,
    cancelled: job.signal,
    journal: await openJournal(engine.files, journalFile),
    progress: new ProgressCounter(engine.events, engine.clock, {
      service: job.service,
      snapshot: plan.snapshot,
      filesTotal: plan.files_to_upload + plan.files_to_delete,
      bytesTotal: plan.bytes_to_upload,
    }),
    versions: new Map(remote.versions),
    uploaded: new Set(),
    deleted: new Set(),
    moved: new Set(),
    errors: [],
    hasUnanswered: false,
    warnings: [],
    records: await UploadRecordFiles.open(engine, job.provider, job.layout),
    bytesUploaded: 0,
    published: remote.published?.manifest,
  };
  soFar.application = application;
  try {
    await carryOut(application, planned, remote);
  } finally {
    await application.journal.close();
    await forgetDisproved(application);
  }
  // What stays there counts only where a listing bears it out.
  if (application.errors.length === 0) await engine.files.remove(journalFile).catch(() => false);
  return application;
}

/** A hash that was not that of the bytes sent is not believed again: else a later run could never finish the work. */
async function forgetDisproved({ engine, errors }: Application): Promise<void> {
  const disproved = errors.filter(({ code }) => code === "content_mismatch" || code === "file_changed");
  if (disproved.length > 0) await engine.forgetHashes(disproved.map(({ path }) => path));
}

/** Transfers end in any order; what is told does not depend on it. */
function inPlanOrder(changes: readonly SyncChange[], done: ReadonlySet<RelativePath>): RelativePath[] {
  return changes.filter((change) => done.has(change.path)).map((change) => change.path);
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

function leaseWarnings(lease: Lease | undefined, { provider }: RunJob): string[] {
  const { conditionalPutCaveat } = provider.capabilities;
  if (lease === undefined) return [];
  if (lease.exclusive) return conditionalPutCaveat === undefined ? [] : [conditionalPutCaveat];
  return [
    "this store ignores conditional writes: two machines that write this snapshot at once could overwrite each other's manifest",
  ];
}
