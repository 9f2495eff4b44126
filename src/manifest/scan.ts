import { type Clock, isoUtc, systemClock } from "../core/clock.ts";
import { compareCodePoints } from "../core/code-point.ts";
import type { RelativePath } from "../core/paths.ts";
import type { FileStat, TreeReader } from "../platform/contract.ts";
import type { FileHasher, FileToHash, HashedFile, HashOutcome } from "./file-hasher.ts";
import { VAULT_PATH } from "./hard-exclusion.ts";
import { type Manifest, type ManifestEntry, orderedEntries, type SkippedPath } from "./manifest.ts";
import { ProgressMeter, type ScanProgress } from "./scan-progress.ts";
import type { Scope } from "./scope.ts";
import { walkTree } from "./walk.ts";

export interface ScanOptions {
  readonly tree: TreeReader;
  /** Native path of the workspace; recorded in the manifest as given. */
  readonly root: string;
  /** The snapshot's name. */
  readonly name: string;
  readonly scope: Scope;
  readonly hashFiles: FileHasher;
  /** Default false: what the hash index knows of unchanged files is believed. */
  readonly rehash?: boolean | undefined;
  /** Default false: a symlink is skipped. */
  readonly followSymlinks?: boolean | undefined;
  /** Native paths of files that are never recorded under any name, besides the workspace's vault. */
  readonly protect?: readonly string[] | undefined;
  readonly clock?: Clock | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called at most ten times a second, and once at the end. */
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
 * The manifest of a workspace: finds the files of `scope`, then hashes them. The same tree gives the same entries in
 * the same order. What cannot be recorded whole is left out and listed under `skipped`.
 * @throws SyncError `root_missing`, `aborted`
 */
export async function scanTree(options: ScanOptions): Promise<ScanResult> {
  const { tree, root, scope, signal } = options;
  const progress = new ProgressMeter(options.onProgress);
  const found = await walkTree({
    tree,
    root,
    scope,
    signal,
    followSymlinks: options.followSymlinks ?? false,
    onFound: (files) => progress.found(files),
  });
  const hashed = await hashAll(found.files, options, progress);
  return {
    manifest: {
      name: options.name,
      root,
      created_at: isoUtc((options.clock ?? systemClock).now()),
      entries: hashed.entries,
    },
    skipped: inOrder([...found.skipped, ...hashed.skipped]),
    missingIncludes: found.missingIncludes,
  };
}

/** By code point, each path once: two includes may lead over the same symlink. */
function inOrder(skipped: readonly SkippedPath[]): SkippedPath[] {
  const byPath = new Map(skipped.map((one) => [one.path, one]));
  return [...byPath.values()].toSorted((a, b) => compareCodePoints(a.path, b.path));
}

interface Hashed {
  readonly entries: ReadonlyMap<RelativePath, ManifestEntry>;
  readonly skipped: readonly SkippedPath[];
}

async function hashAll(files: readonly FileToHash[], options: ScanOptions, progress: ProgressMeter): Promise<Hashed> {
  const isProtected = sameFileAsAny(protectedFiles(options));
  const entries: (ManifestEntry | undefined)[] = Array.from({ length: files.length });
  const skipped: SkippedPath[] = [];
  const done = (index: number, outcome: HashOutcome) => {
    const path = files[index]?.path;
    if (path === undefined) return;
    if (typeof outcome === "string") skipped.push({ path, reason: outcome });
    else if (isProtected(outcome)) skipped.push({ path, reason: "protected" });
    else
      entries[index] = {
        path,
        size: outcome.size,
        mtime: outcome.mtime,
        sha256: outcome.sha256,
      };
    progress.fileDone();
  };
  progress.found(files.length);
  await options.hashFiles(
    files,
    { done, bytes: (count) => progress.bytesRead(count) },
    { signal: options.signal, rehash: options.rehash, holds: options.scope.holds },
  );
  progress.end();
  return { entries: orderedEntries(present(entries)), skipped };
}

function* present(entries: Iterable<ManifestEntry | undefined>): Generator<ManifestEntry> {
  for (const entry of entries) {
    if (entry !== undefined) yield entry;
  }
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

function sameFileAsAny(files: readonly FileStat[]): (file: HashedFile) => boolean {
  // Some file systems give every file the inode 0: that says nothing.
  const known = files.filter((file) => file.inode !== 0n);
  return (file) => known.some((stat) => file.is(stat));
}
