import type { NewHasher } from "../core/hash.ts";
import { manifestDigests } from "./checksum.ts";
import type { Manifest, SkippedPath } from "./manifest.ts";
import type { Scope } from "./scope.ts";

/** A manifest in numbers. */
export interface ManifestCounts {
  readonly name: string;
  readonly root: string;
  readonly created_at: string;
  /** How many. */
  readonly entries: number;
  /** Of all entries together. */
  readonly bytes: number;
  readonly checksum: string;
  readonly digest: string;
}

/** The workspace's manifest in numbers, as the API answers it. */
export interface ManifestSummary extends ManifestCounts {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly skipped: readonly SkippedPath[];
}

/** @throws SyncError `aborted` */
export async function countManifest(
  manifest: Manifest,
  newHasher: NewHasher,
  signal?: AbortSignal,
): Promise<ManifestCounts> {
  const { checksum, digest, bytes } = await manifestDigests(manifest, newHasher, signal);
  const { name, root, created_at } = manifest;
  return { name, root, created_at, entries: manifest.entries.size, bytes, checksum, digest };
}

/** @throws SyncError `aborted` */
export async function summariseManifest(
  manifest: Manifest,
  scope: Pick<Scope, "include" | "exclude">,
  skipped: readonly SkippedPath[],
  newHasher: NewHasher,
  signal?: AbortSignal,
): Promise<ManifestSummary> {
  const counts = await countManifest(manifest, newHasher, signal);
  return { ...counts, include: scope.include, exclude: scope.exclude, skipped };
}
