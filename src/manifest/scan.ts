import { type Clock, isoUtc, systemClock } from "../core/clock.ts";
import { compareCodePoints } from "../core/code-point.ts";
import type { RelativePath } from "../core/paths.ts";
import type { FileStat, TreeReader } from "../platform/contract.ts";
import { VAULT_PATH } from "./hard-exclusion.ts";
import type { Manifest, SkippedPath } from "./manifest.ts";
import { ProgressMeter, type ScanProgress } from "./scan-progress.ts";
import type { Scope } from "./scope.ts";
import type { TreeHasher } from "./tree-hasher.ts";
import { TreeWalk } from "./walk.ts";

export interface ScanOptions {
  readonly tree: TreeReader;
  /** Native path of the workspace; recorded in the manifest as given. */
  readonly root: string;
  /** The snapshot's name. */
  readonly name: string;
  readonly scope: Scope;
  readonly hashTree: TreeHasher;
  /** Default false: what the hash index knows of unchanged files is believed. */
  readonly rehash?: boolean | undefined;
  /** Default false: a symlink is skipped. */
  readonly followSymlinks?: boolean | undefined;
  /** Native paths of files that are never recorded under any name, besides the workspace's vault. */
  readonly protect?: readonly string[] | undefined;
  readonly clock?: Clock | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called at most five times a second, and once at the end. */
  readonly onProgress?: ((progress: ScanProgress) => void) | undefined;
}

export interface ScanResult {
  readonly manifest: Manifest;
  /** By code point of the path. Nothing at or below one of these is ever taken for deleted. */
  readonly skipped: readonly SkippedPath[];
  /** Include paths at which there is nothing: the delete guard's business. */
  readonly missingIncludes: readonly RelativePath[];
}

/**
 * The manifest of a workspace: finds the files of `scope` and hashes them. The same tree gives the same entries in
 * the same order. What cannot be recorded whole is left out and listed under `skipped`.
 * @throws SyncError `root_missing`, `aborted`
 */
export async function scanTree(options: ScanOptions): Promise<ScanResult> {
  const { tree, root, scope, signal, rehash } = options;
  const progress = new ProgressMeter(options.onProgress);
  const walk = new TreeWalk({ tree, root, scope, followSymlinks: options.followSymlinks ?? false });
  const protect = protectedFiles(options);
  const hashed = await options.hashTree({ walk, scope, protect, progress, signal, rehash });
  progress.end();
  return {
    manifest: {
      name: options.name,
      root,
      created_at: isoUtc((options.clock ?? systemClock).now()),
      entries: hashed.entries,
    },
    skipped: skippedInOrder([...walk.skipped, ...hashed.skipped]),
    missingIncludes: walk.missingIncludes,
  };
}

/** By code point, each path once: two includes may lead over the same symlink. */
export function skippedInOrder(skipped: readonly SkippedPath[]): SkippedPath[] {
  const byPath = new Map(skipped.map((one) => [one.path, one]));
  return [...byPath.values()].toSorted((a, b) => compareCodePoints(a.path, b.path));
}

/** The vault and its like, as the file system knows them: a hard link or another spelling is the same file. */
function protectedFiles({ tree, root, protect = [] }: ScanOptions): FileStat[] {
  const stats: FileStat[] = [];
  for (const path of [`${root}/${VAULT_PATH}`, ...protect]) {
    try {
      const stat = tree.stat(path);
      if (stat !== undefined) stats.push(stat);
    } catch {
      // What cannot be looked at cannot be read under another name either.
    }
  }
  return stats;
}
