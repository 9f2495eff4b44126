/**
 * One measured thing in a process of its own, so that its memory is its own: `scan ROOT` (with the index of ROOT and
 * threads), `digest ROOT` (the same and the digest of the manifest, for a check), `entries COUNT` (a scan of a tree that
 * exists only as a source), `diff COUNT`, both after a round that does not count, `start` (nothing).
 * Prints one line of JSON.
 */
import { createTreeHasher } from "../../src/manifest/tree-hasher.ts";
import { ThreadPool } from "../../src/threads/thread-pool.ts";
import { openHashIndex } from "../../src/manifest/hash-store.ts";
import { manifestDigests } from "../../src/manifest/checksum.ts";
import { diffManifests } from "../../src/manifest/diff.ts";
import { orderedEntries } from "../../src/manifest/entries-in-order.ts";
import type { Manifest } from "../../src/manifest/manifest.ts";
import { scanTree } from "../../src/manifest/scan.ts";
import { createScope } from "../../src/manifest/scope.ts";
import { bunOwn } from "../../src/platform/bun/bun-own.ts";
import { openDatabase } from "../../src/platform/node/node-database.ts";
import { nodeFiles as files } from "../../src/platform/node/node-files.ts";
import { newNodeHasher as newHasher } from "../../src/platform/node/node-hasher.ts";
import { nodeThreads as threads } from "../../src/platform/node/node-threads.ts";
import { nodeTree } from "../../src/platform/node/node-tree.ts";
import { syntheticTree } from "./synthetic-tree.ts";

const tree = { ...nodeTree, glances: bunOwn.glances };

async function scanFolder(root: string) {
  const pool = new ThreadPool(threads);
  const openIndex = openHashIndex({ files, tree, newHasher, openDatabase, root });
  const hashTree = createTreeHasher({ tree, newHasher, pool, openIndex });
  const startMs = performance.now();
  const { manifest } = await scanTree({ tree, root, name: "bench", scope: createScope(), hashTree });
  const ms = performance.now() - startMs;
  pool.close();
  return { ms, entries: manifest.entries.size, manifest };
}

async function digest(root: string) {
  const { manifest } = await scanFolder(root);
  return await manifestDigests(manifest, newHasher);
}

async function scanSynthetic(count: number) {
  const source = syntheticTree(count);
  const hashTree = createTreeHasher({ tree: source, newHasher });
  const startMs = performance.now();
  const scope = createScope({ include: ["."] });
  const { manifest } = await scanTree({ tree: source, root: "/synthetic", name: "bench", scope, hashTree });
  return { ms: performance.now() - startMs, entries: manifest.entries.size };
}

function diff(count: number) {
  const [local, remote] = [manifestOf(count, 0), manifestOf(count, 10)];
  const startMs = performance.now();
  const result = diffManifests("local", "bench", local, remote);
  return { ms: performance.now() - startMs, entries: result.files_unchanged + result.files_to_upload };
}

/** @param every so many entries have other content; 0 for none */
function manifestOf(count: number, every: number): Manifest {
  const entries = Array.from({ length: count }, (_, k) => {
    const path = `assets/chapter-${String(Math.floor(k / 1_000)).padStart(4, "0")}/frame-${String(k % 1_000).padStart(3, "0")}.png`;
    const seed = every > 0 && k % every === 0 ? k + 1 : k;
    return { path, size: k, mtime: k + 0.5, sha256: seed.toString(16).padStart(64, "0") };
  });
  return { name: "bench", root: "/bench", created_at: "", entries: orderedEntries(entries) };
}

/** Entries of a first round that does not count: growth is asked for, and code that is not compiled yet does not grow. */
const WARM_UP = 20_000;

async function afterWarmUp<T>(work: (count: number) => T, count: number): Promise<T> {
  await work(WARM_UP);
  return work(count);
}

const [kind = "", argument = ""] = process.argv.slice(2);
const run: Record<string, () => unknown> = {
  start: () => ({ ms: 0, entries: 0 }),
  scan: async () => ({ ...(await scanFolder(argument)), manifest: undefined }),
  digest: () => digest(argument),
  entries: () => afterWarmUp(scanSynthetic, Number(argument)),
  diff: () => afterWarmUp(diff, Number(argument)),
};
console.log(JSON.stringify(await run[kind]?.()));
