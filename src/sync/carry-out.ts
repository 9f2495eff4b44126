import { isoUtc } from "../core/clock.ts";
import { throwIfAborted, toSyncError } from "../core/errors.ts";
import type { RelativePath } from "../core/paths.ts";
import type { SyncChange } from "../manifest/diff.ts";
import { orderedEntries } from "../manifest/entries-in-order.ts";
import type { Manifest } from "../manifest/manifest.ts";
import { type Application, applyDeletes, applyUploads, blockingDeletes } from "./apply-plan.ts";
import { checkStored, mayComeLate } from "./check-stored.ts";
import { lastWords } from "./last-words.ts";
import type { PlanResult, SyncPlan } from "./plan.ts";
import { publishManifest, type PublishTools } from "./published-manifest.ts";
import type { RemoteState } from "./remote-state.ts";
import { type FetchedMarker, fetchMarker, putMarker, removeMarker, type RunMarker } from "./run-marker.ts";
import { discardUnfinished } from "./unfinished-uploads.ts";

/**
 * Carries a plan out in the order that keeps the destination whole: marker, withdrawal of what will be deleted, removal
 * of what earlier runs left unfinished, uploads, deletes, manifest, marker away. Files that fail are in
 * `application.errors`; then nothing is published.
 * @throws SyncError `aborted`, `manifest_conflict`, and what the provider throws for a control object
 */
export async function carryOut(application: Application, planned: PlanResult, remote: RemoteState): Promise<void> {
  const marker = await mark(application, planned.plan, remote);
  try {
    await makeChanges(application, planned, remote, marker?.objectVersion);
  } catch (error) {
    if (marker !== undefined && isOverrun(application, error)) await keepMarked(application, marker);
    throw error;
  }
  if (marker === undefined) return;
  const isSettled = !application.hasUnanswered && !mayComeLate(remote.marker);
  if (application.errors.length > 0) await keepMarked(application, { ...marker, isSettled });
  else await unmark(application, marker);
}

/** Everything is published by then, and says that this marker tells of nothing any more. */
async function unmark({ engine, job, cancelled, warnings }: Application, marker: FetchedMarker): Promise<void> {
  try {
    await lastWords(cancelled, engine.clock, (signal) =>
      removeMarker(job.provider, job.layout, marker.objectVersion, signal),
    );
  } catch (thrown) {
    const { code, message } = toSyncError(thrown);
    warnings.push(
      `everything is published, but the run's marker could not be removed (${code}: ${message}); the next run tries again`,
    );
  }
}

async function makeChanges(
  application: Application,
  planned: PlanResult,
  remote: RemoteState,
  markerVersion: string | undefined,
): Promise<void> {
  const { engine, job, lease, progress } = application;
  const { plan } = planned;
  const startedMs = engine.clock.now();
  let publishedVersion = remote.published?.objectVersion;
  if (plan.deletes.length > 0 && remote.published !== undefined) {
    publishedVersion = await withdraw(application, plan.deletes, remote, remote.published.objectVersion);
  }
  await discardUnfinished(application, plan.uploads, remote.marker !== undefined);
  const first = job.provider.capabilities.hierarchicalKeys ? blockingDeletes(plan.deletes, plan.uploads) : [];
  await applyDeletes(application, first);
  progress.phase("upload");
  await applyUploads(application, plan.uploads, soleSources(plan));
  progress.phase("delete");
  await applyDeletes(application, safeDeletes(application, plan, new Set(first)));
  await checkStored(application, remote, planned, startedMs);
  if (application.errors.length > 0) return;

  throwIfAborted(job.signal);
  lease.check();
  progress.phase("publish");
  const document = {
    manifest: planned.target,
    versions: knownVersions(application, planned.target),
    // Out of this run's scope: whoever mirrors those paths finds them by this, as the marker goes away now.
    deleting: new Set(planned.doubtful),
    markerVersion,
  };
  await publishManifest(job.provider, job.layout, document, publishedVersion, publishTools(application));
}

/** Leaves the marker of this run, where it changes anything; else the one that was found. Undefined without either. */
async function mark(application: Application, plan: SyncPlan, remote: RemoteState): Promise<FetchedMarker | undefined> {
  if (plan.uploads.length + plan.deletes.length === 0) return remote.marker;
  return await putMarked(application, markerFor(plan, remote), application.job.signal);
}

async function putMarked({ engine, job }: Application, marker: RunMarker, signal: AbortSignal): Promise<FetchedMarker> {
  const startedAt = isoUtc(engine.clock.now());
  const version = await putMarker(job.provider, job.layout, marker, startedAt, engine.newHasher, signal);
  return { ...marker, objectVersion: version };
}

/**
 * Another machine has taken the snapshot over, or published, while this run was at work: a clock is wrong, or this
 * machine was asleep. It does not know what this run has stored since.
 */
function isOverrun({ lease }: Application, error: unknown): boolean {
  const { code } = toSyncError(error);
  if (code !== "aborted") return code === "manifest_conflict";
  try {
    lease.check();
    return false;
  } catch {
    return true;
  }
}

/**
 * Puts the marker back where another run has taken it away or put its own in its place: whoever looks next does not
 * believe what was published since of the files that this run may have stored. Says that the run is settled, if it is.
 */
async function keepMarked(application: Application, marker: FetchedMarker): Promise<void> {
  const { cancelled, engine } = application;
  const { provider, layout } = application.job;
  try {
    await lastWords(cancelled, engine.clock, async (signal) => {
      const found = await fetchMarker(provider, layout, signal);
      if (found?.objectVersion === marker.objectVersion) {
        if (marker.isSettled) await putMarked(application, marker, signal);
        return;
      }
      const touched = marker.touched.union(found?.touched ?? new Set<RelativePath>());
      await putMarked(application, { touched, isSettled: false }, signal);
    });
  } catch {
    // How the run ended is what has to be told.
  }
}

/**
 * Objects that are deleted once their content has another name, and only one: where the store can, they are renamed
 * instead. The manifest does not name them any more by then.
 */
function soleSources({ uploads, deletes }: SyncPlan): ReadonlySet<RelativePath> {
  const sources = new Set(deletes.map((change) => change.path));
  const wanted = new Set<RelativePath>();
  for (const { source } of uploads) {
    if (source !== undefined && wanted.has(source)) sources.delete(source);
    if (source !== undefined) wanted.add(source);
  }
  return sources.intersection(wanted);
}

/** The destination holds already all that a run would write, its manifest included. */
export function isUpToDate({ plan, target, doubtful }: PlanResult, remote: RemoteState): boolean {
  const changes = plan.uploads.length + plan.deletes.length > 0;
  return !changes && remote.marker === undefined && !remote.learnt && sameContent(target, doubtful, remote);
}

function publishTools({ engine, job, lease }: Application): PublishTools {
  return { newHasher: engine.newHasher, conditional: lease.exclusive, signal: job.signal };
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
  const { job } = application;
  const deleting = new Set([...(remote.published?.deleting ?? []), ...deletes.map((change) => change.path)]);
  const before = remote.published?.manifest;
  if (before === undefined) return objectVersion;
  const entries = orderedEntries([...before.entries.values()].filter((entry) => !deleting.has(entry.path)));
  const versions = new Map([...(remote.published?.versions ?? [])].filter(([path]) => entries.has(path)));
  const document = { manifest: { ...before, entries }, versions, deleting };
  const version = await publishManifest(job.provider, job.layout, document, objectVersion, publishTools(application));
  application.published = document.manifest;
  return version;
}

/** Every path whose object this run, or an interrupted one before it, may write. */
function markerFor(plan: SyncPlan, remote: RemoteState): RunMarker {
  const touched = new Set(remote.marker?.touched ?? []);
  for (const { path } of plan.uploads) touched.add(path);
  return { touched, isSettled: false };
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
function sameContent(target: Manifest, doubtful: readonly RelativePath[], remote: RemoteState): boolean {
  const published = remote.published;
  if (published === undefined) return false;
  if (published.deleting.size !== doubtful.length || !doubtful.every((path) => published.deleting.has(path)))
    return false;
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
