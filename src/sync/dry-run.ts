import { type SyncError, toSyncError } from "../core/errors.ts";
import type { Manifest, ManifestEntry } from "../manifest/manifest.ts";
import { type ScanResult, scanTree, skippedInOrder } from "../manifest/scan.ts";
import { stillThere } from "../manifest/still-there.ts";
import { type ManifestSummary, summariseManifest } from "../manifest/summary.ts";
import type { Provider } from "../providers/contract.ts";
import { absentPathWarnings } from "./absent-paths.ts";
import type { Engine, SyncJob } from "./engine.ts";
import { journalPath, readJournal } from "./run-journal.ts";
import { type PlanInput, type PlanResult, planSync, type SyncPlan } from "./plan.ts";
import { loadRemoteState, type RemoteState } from "./remote-state.ts";
import { type DryRunSummary, dryRunSummary, type RemoteManifestSummary, summariseRemote } from "./summary.ts";
import { unstorableWarnings } from "./unstorable.ts";

export interface DryRunResult {
  readonly manifest: ManifestSummary;
  readonly plan: SyncPlan;
  readonly summary: DryRunSummary;
  readonly remote_manifest: RemoteManifestSummary | null;
}

export interface DryRunJob extends SyncJob {
  /** The provider, or why it cannot be opened (`canPlanWithout`): then the cached manifest is planned against. */
  readonly provider: Provider | SyncError;
}

/** The provider itself is not there. */
function isNotLoaded(error: SyncError): boolean {
  return error.code === "sdk_missing" || error.code === "provider_unsupported";
}

/** Why there is no provider at all; undefined where there is one, or one that could not be opened. */
function stubReason({ provider }: DryRunJob): string | undefined {
  return provider instanceof Error && isNotLoaded(provider) ? provider.message : undefined;
}

/** Nobody has to correct the request, the settings or the vault first: the destination is out of reach at this time. */
export function canPlanWithout(error: SyncError): boolean {
  return isNotLoaded(error) || (error.code.startsWith("provider_") && error.code !== "provider_config");
}

/**
 * What a run would do. Reads only: nothing of the workspace, the remote or the cache changes.
 * @throws SyncError `root_missing`, `aborted`
 */
export async function dryRun(engine: Engine, job: DryRunJob): Promise<DryRunResult> {
  const startedAtMs = engine.clock.now();
  const scan = await scanFor(engine, job, true);
  const warnings: string[] = [];
  const reason = stubReason(job);
  const remote = await remoteOrCached(engine, job, warnings);
  const provider = job.provider instanceof Error ? undefined : job.provider;
  const result = await planFor(engine, job, scan, remote.manifest, provider, remote.state);
  warnings.push(...absentPathWarnings(job, scan, remote.manifest), ...planWarnings(result));
  if (provider !== undefined) {
    warnings.push(...unstorableWarnings(result.plan, job.layout, provider), ...(provider.notices?.() ?? []));
  }
  const manifest = await summariseManifest(scan.manifest, job.scope, result.skipped, engine.newHasher, job.signal);
  const { plan } = result;
  const answer: DryRunResult = {
    manifest,
    plan,
    summary: dryRunSummary(
      plan,
      scan.manifest.root,
      warnings,
      reason === undefined ? { provider: job.service } : { provider: "stub", reason },
    ),
    remote_manifest: await summariseRemote(remote.manifest, remote.source, engine.newHasher),
  };
  engine.events.emit({
    type: "sync.dry_run",
    service: job.service,
    snapshot: plan.snapshot,
    paths: job.scope.include,
    uploads: plan.uploads.length,
    deletes: plan.deletes.length,
    unchanged: plan.unchanged.length,
    retained: plan.retained,
    skipped: result.skipped.length,
    bytes: plan.bytes_to_upload,
    durationMs: engine.clock.now() - startedAtMs,
  });
  return answer;
}

/** @throws SyncError `root_missing`, `aborted` */
export function scanFor(engine: Engine, job: SyncJob, isDryRun: boolean): Promise<ScanResult> {
  return scanTree({
    tree: engine.tree,
    root: engine.root,
    name: job.layout.snapshot,
    scope: job.scope,
    hashTree: engine.hashTree,
    followSymlinks: job.followSymlinks,
    rehash: job.rehash,
    clock: engine.clock,
    signal: job.signal,
    onProgress: ({ filesDone, filesTotal, bytesDone }) =>
      engine.events.emit({
        type: "sync.progress",
        dryRun: isDryRun,
        service: job.service,
        snapshot: job.layout.snapshot,
        phase: "scan",
        filesDone,
        filesTotal,
        bytesDone,
        bytesTotal: bytesDone,
      }),
  });
}

/**
 * Copies inside the store are planned only from objects whose version is known, so that only those very bytes are copied.
 * What is to be deleted is looked for once more, for a scan may have come while it was being saved.
 * @throws SyncError `aborted`
 */
export async function planFor(
  engine: Engine,
  job: SyncJob,
  scan: ScanResult,
  remote: Manifest | undefined,
  provider: Provider | undefined,
  state: RemoteState | undefined,
): Promise<PlanResult> {
  const canCopy = provider?.capabilities.serverSideCopy === true;
  const input: PlanInput = {
    service: job.service,
    local: scan.manifest,
    skipped: scan.skipped,
    missingIncludes: scan.missingIncludes,
    scope: job.scope,
    remote,
    canCopyFrom: (entry: ManifestEntry) => canCopy && state?.versions.has(entry.path) === true,
  };
  const planned = planSync(input);
  const deletes = planned.plan.deletes.map(({ path }) => path);
  const back = await stillThere(engine.tree, engine.root, deletes, job.signal);
  return back.length === 0 ? planned : planSync({ ...input, skipped: skippedInOrder([...scan.skipped, ...back]) });
}

export function planWarnings({ forbidden, doubtful }: PlanResult): string[] {
  const warnings: string[] = [];
  if (forbidden.length > 0) {
    warnings.push(
      `the destination holds ${forbidden.length} file(s) that never belong there (a vault, an .env file), put there by another tool: ${forbidden.slice(0, 3).join(", ")}. They are left alone and leave the manifest; delete them by hand and change the secrets in them`,
    );
  }
  if (doubtful.length > 0) {
    warnings.push(
      `${doubtful.length} file(s) outside this request's paths were left in doubt by an interrupted run and leave the manifest: ${doubtful.slice(0, 3).join(", ")}. Run once with those paths to upload them again`,
    );
  }
  return warnings;
}

interface RemoteOrCached {
  readonly manifest: Manifest | undefined;
  readonly state?: RemoteState;
  readonly source: "remote" | "cache";
}

async function remoteOrCached(engine: Engine, job: DryRunJob, warnings: string[]): Promise<RemoteOrCached> {
  const { provider, layout } = job;
  try {
    if (provider instanceof Error) throw provider;
    const path = journalPath(engine, provider, layout);
    const state = await loadRemoteState(provider, layout, () => readJournal(engine.files, path), job.signal);
    return { manifest: state.effective, state, source: "remote" };
  } catch (thrown) {
    const error = toSyncError(thrown);
    if (error.code === "aborted" || error.code === "internal") throw thrown;
    const cached = await cachedManifest(engine, job);
    // That the provider is not installed is the summary's `reason`.
    if (stubReason(job) === undefined)
      warnings.push(`the destination could not be read (${error.code}: ${error.message}); ${cached.words}`);
    else if (cached.manifest === undefined) warnings.push(cached.words);
    return { manifest: cached.manifest, source: "cache" };
  }
}

async function cachedManifest(
  engine: Engine,
  { service, layout }: DryRunJob,
): Promise<{ readonly manifest: Manifest | undefined; readonly words: string }> {
  const asIfEmpty = "planned as if the destination were empty";
  try {
    const manifest = await engine.cache.load(service, layout.snapshot);
    if (manifest !== undefined) return { manifest, words: "planned against the cached manifest" };
    return { manifest, words: `no manifest of this snapshot is cached: ${asIfEmpty}` };
  } catch (thrown) {
    return { manifest: undefined, words: `${toSyncError(thrown).message}; ${asIfEmpty}` };
  }
}
