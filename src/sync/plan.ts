import { compareCodePoints } from "../core/code-point.ts";
import type { RelativePath } from "../core/paths.ts";
import { diffManifests, type ManifestDiff, type SyncChange } from "../manifest/diff.ts";
import { isHardExcluded } from "../manifest/hard-exclusion.ts";
import { inherited } from "../manifest/inherited.ts";
import { EntryCollector, entriesInOrder } from "../manifest/entries-in-order.ts";
import type { Manifest, ManifestEntry, SkippedPath } from "../manifest/manifest.ts";
import type { Scope } from "../manifest/scope.ts";
import { type GuardReport, guardDeletes } from "./delete-guard.ts";

/** An upload. With `source` it is a copy inside the store: that path holds the same bytes there already. */
export interface PlannedUpload extends SyncChange {
  readonly source?: RelativePath;
}

/**
 * What a run will do: the difference in interop format, and `retained`, `guard` and `source` of ours. Lists are by code
 * point of the path; `bytes_to_upload` counts what has to travel, which copies inside the store do not.
 */
export interface SyncPlan extends Omit<ManifestDiff, "uploads" | "retained"> {
  readonly uploads: readonly PlannedUpload[];
  /** How many remote entries are not here and stay: out of scope, or at or below a skipped path. */
  readonly retained: number;
  readonly guard: GuardReport | null;
}

export interface PlanInput {
  readonly service: string;
  readonly local: Manifest;
  readonly skipped: readonly SkippedPath[];
  readonly missingIncludes: readonly RelativePath[];
  readonly scope: Scope;
  /** What the destination holds; undefined before the first run. */
  readonly remote: Manifest | undefined;
  /** Whether the store can copy the object at `path` to another key without sending it. */
  readonly canCopyFrom: (entry: ManifestEntry) => boolean;
}

export interface PlanResult {
  readonly plan: SyncPlan;
  /** As given: what was left alone. */
  readonly skipped: readonly SkippedPath[];
  /** What the destination holds when all of it is done: the manifest to publish. */
  readonly target: Manifest;
  /** Remote entries under names that never travel, such as a vault that another tool uploaded. They leave the manifest. */
  readonly forbidden: readonly RelativePath[];
  /** Remote entries that would stay but whose content an interrupted run left in doubt. They leave the manifest. */
  readonly doubtful: readonly RelativePath[];
}

/** In place of a hash where an object's content is not known: never equal to any file's. */
export const UNKNOWN_SHA256 = "";

/** The plan of one run; pure. */
export function planSync(input: PlanInput): PlanResult {
  const { service, local, remote, scope } = input;
  const isSkipped = belowAny(input.skipped.map((skip) => skip.path));
  const isForbidden = inherited(isHardExcluded);
  const diff = diffManifests(service, local.name, local, remote, (path) =>
    scope.holds(path) && !isSkipped(path) ? "delete" : "retain",
  );
  const forbidden = diff.retained.filter((entry) => isForbidden(entry.path));
  const doubtful = diff.retained.filter((entry) => entry.sha256 === UNKNOWN_SHA256 && !isForbidden(entry.path));
  const retained = diff.retained.filter((entry) => entry.sha256 !== UNKNOWN_SHA256 && !isForbidden(entry.path));
  const uploads = withSources(diff.uploads, remote, input.canCopyFrom);
  // The guard looks at deletes alone: without any the scope need not be held against every remote path.
  const deletes = diff.deletes.map((change) => change.path);
  const remoteInScope = deletes.length === 0 ? 0 : countInScope(remote, scope);
  const guard = guardDeletes(deletes, remoteInScope, input.missingIncludes);
  let target: Manifest | undefined;
  return {
    plan: {
      ...diff,
      uploads,
      bytes_to_upload: uploads.reduce((sum, change) => sum + (change.source === undefined ? (change.size ?? 0) : 0), 0),
      retained: retained.length,
      guard: guard ?? null,
    },
    skipped: input.skipped,
    // A dry run never asks, and of a large mirror it is as large again.
    get target() {
      target ??= { ...local, entries: mergeByPath(local, retained) };
      return target;
    },
    forbidden: forbidden.map((entry) => entry.path),
    doubtful: doubtful.map((entry) => entry.path),
  };
}

/** True for a path that is one of `paths` or lies below one. */
function belowAny(paths: readonly RelativePath[]): (path: RelativePath) => boolean {
  const given = new Set(paths);
  return given.has("") ? () => true : inherited((path) => given.has(path));
}

function countInScope(remote: Manifest | undefined, scope: Scope): number {
  let count = 0;
  for (const path of remote?.entries.keys() ?? []) if (scope.holds(path)) count++;
  return count;
}

/**
 * Finds, for each upload, a remote object with the same content. One that this run overwrites is no source: by the
 * time of the copy it may hold other bytes.
 */
function withSources(
  uploads: readonly SyncChange[],
  remote: Manifest | undefined,
  canCopyFrom: PlanInput["canCopyFrom"],
): readonly PlannedUpload[] {
  if (uploads.length === 0 || remote === undefined) return uploads;
  const wanted = new Set(uploads.map((change) => change.sha256));
  const overwritten = new Set(uploads.map((change) => change.path));
  const sources = new Map<string, RelativePath>();
  for (const entry of entriesInOrder(remote)) {
    if (entry.size === 0 || !wanted.has(entry.sha256) || sources.has(entry.sha256)) continue;
    if (!overwritten.has(entry.path) && canCopyFrom(entry)) sources.set(entry.sha256, entry.path);
  }
  return uploads.map((change) => {
    const source = sources.get(change.sha256 ?? "");
    return source === undefined ? change : { ...change, source };
  });
}

/** The local entries themselves when nothing is retained: what is known of them need not be found out again. */
function mergeByPath(local: Manifest, retained: readonly ManifestEntry[]): ReadonlyMap<RelativePath, ManifestEntry> {
  if (retained.length === 0) return local.entries;
  const merged = new EntryCollector();
  let next = 0;
  for (const entry of entriesInOrder(local)) {
    for (let kept = retained[next]; kept !== undefined && compareCodePoints(kept.path, entry.path) < 0; ) {
      merged.add(kept);
      kept = retained[++next];
    }
    merged.add(entry);
  }
  for (; next < retained.length; next++) {
    const kept = retained[next];
    if (kept !== undefined) merged.add(kept);
  }
  return merged.entries();
}
