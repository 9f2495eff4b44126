import type { NewHasher } from "../core/hash.ts";
import type { RelativePath } from "../core/paths.ts";
import type { SyncChange } from "../manifest/diff.ts";
import type { Manifest } from "../manifest/manifest.ts";
import { countManifest, type ManifestCounts } from "../manifest/summary.ts";
import type { GuardReport } from "./delete-guard.ts";
import type { FileError } from "./engine.ts";
import type { PlannedUpload, SyncPlan } from "./plan.ts";

interface SummaryBase {
  readonly service: string;
  readonly snapshot: string;
  readonly root: string;
  /** What the user should know although nothing failed. */
  readonly warnings: readonly string[];
}

/** Interop format; `warnings`, `guard`, `provider` and `reason` are ours. */
export interface DryRunSummary extends SummaryBase {
  readonly uploads: readonly PlannedUpload[];
  readonly deletes: readonly SyncChange[];
  readonly skipped: readonly SyncChange[];
  readonly status: "dry_run";
  readonly errors: readonly [];
  readonly bytes_uploaded: 0;
  readonly guard: GuardReport | null;
  /** The provider's name; "stub" when its SDK is not installed. */
  readonly provider: string;
  /** Why it is a stub. */
  readonly reason?: string;
}

/** Interop format; the lists hold paths. */
export interface RunSummary extends SummaryBase {
  readonly uploads: readonly RelativePath[];
  readonly deletes: readonly RelativePath[];
  readonly skipped: readonly RelativePath[];
  readonly status: "ok" | "partial";
  readonly errors: readonly FileError[];
  readonly bytes_uploaded: number;
}

export function dryRunSummary(
  plan: SyncPlan,
  root: string,
  warnings: readonly string[],
  provider: { readonly provider: string; readonly reason?: string },
): DryRunSummary {
  return {
    service: plan.service,
    snapshot: plan.snapshot,
    root,
    uploads: plan.uploads,
    deletes: plan.deletes,
    skipped: plan.unchanged,
    status: "dry_run",
    errors: [],
    bytes_uploaded: 0,
    warnings,
    guard: plan.guard,
    ...provider,
  };
}

/** A manifest of the destination in numbers. */
export interface RemoteManifestSummary extends ManifestCounts {
  /** `cache` when the destination could not be asked. */
  readonly source: "remote" | "cache";
}

export async function summariseRemote(
  manifest: Manifest | undefined,
  source: "remote" | "cache",
  newHasher: NewHasher,
): Promise<RemoteManifestSummary | null> {
  return manifest === undefined ? null : { ...(await countManifest(manifest, newHasher)), source };
}
