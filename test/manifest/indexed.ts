import { join } from "node:path";
import type { Clock } from "../../src/core/clock.ts";
import { createTreeHasher } from "../../src/manifest/tree-hasher.ts";
import type { HashIndex } from "../../src/manifest/hash-index.ts";
import type { ThreadPool } from "../../src/threads/thread-pool.ts";
import { openHashIndex } from "../../src/manifest/hash-store.ts";
import type { ScanOptions, ScanResult } from "../../src/manifest/scan.ts";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import type { Platform, TreeReader } from "../../src/platform/contract.ts";
import { scan } from "./support.ts";

const platform = bunPlatform();

/** A clock ahead of the file system's: everything was written long before it is hashed. */
export function settledClock(aheadMs = 3_600_000): Clock {
  return { now: () => Date.now() + aheadMs, sleep: () => Promise.resolve() };
}

export interface IndexedOptions extends Partial<ScanOptions> {
  readonly pool?: ThreadPool;
  readonly openDatabase?: Platform["openDatabase"];
}

export function indexFile(root: string): string {
  return join(root, "cache", "cloud", "hash-index.sqlite");
}

export function openIndexOf(
  root: string,
  { openDatabase, tree }: Pick<Platform, "openDatabase" | "tree"> = platform,
): Promise<HashIndex | undefined> {
  const { files, newHasher } = platform;
  return openHashIndex({ files, tree, newHasher, openDatabase, root })();
}

/** A scan with the index of `root`; of a settled tree, unless `options` say otherwise. */
export function indexedScan(root: string, options: IndexedOptions = {}): Promise<ScanResult> {
  const { pool, openDatabase = platform.openDatabase, tree = platform.tree, clock = settledClock() } = options;
  const { newHasher } = platform;
  const openIndex = openHashIndex({ files: platform.files, tree, newHasher, openDatabase, root });
  return scan(root, { ...options, clock, hashTree: createTreeHasher({ tree, newHasher, clock, pool, openIndex }) });
}

/** The real tree, which notes the names of files that are opened. */
export function watchedTree(): { readonly tree: TreeReader; readonly opened: () => string[] } {
  let names: string[] = [];
  const open: TreeReader["open"] = (path, options) => {
    names.push(path.slice(path.lastIndexOf("/") + 1));
    return platform.tree.open(path, options);
  };
  return {
    tree: { ...platform.tree, open },
    opened: () => {
      const result = names.toSorted();
      names = [];
      return result;
    },
  };
}
