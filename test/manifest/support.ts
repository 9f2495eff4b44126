import { expect } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ErrorCode } from "../../src/core/errors.ts";
import { createTreeHasher } from "../../src/manifest/tree-hasher.ts";
import { orderedEntries } from "../../src/manifest/entries-in-order.ts";
import type { Manifest, ManifestEntry, SkipReason } from "../../src/manifest/manifest.ts";
import { type ScanOptions, type ScanResult, scanTree } from "../../src/manifest/scan.ts";
import { createScope } from "../../src/manifest/scope.ts";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import type { TreeReader } from "../../src/platform/contract.ts";

const platform = bunPlatform();
export const { tree, newHasher } = platform;

/** Writes `files` (path to content) below `root`, with the folders they need. */
export function plant(root: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}

/** A scan of the whole of `root` without exclude patterns, unless `options` say otherwise. */
export function scan(root: string, options: Partial<ScanOptions> = {}): Promise<ScanResult> {
  const reader = options.tree ?? tree;
  return scanTree({
    tree: reader,
    root,
    name: "test",
    scope: createScope({ include: ["."], exclude: [] }),
    hashTree: createTreeHasher({ tree: reader, newHasher }),
    ...options,
  });
}

/** The real tree with some calls replaced. What it looks at is asked for one by one then. */
export function treeWith(changes: Partial<TreeReader>): TreeReader {
  const isWhole = changes.list === undefined && changes.glance === undefined && changes.lstat === undefined;
  const glances = isWhole ? tree.glances : undefined;
  return { ...tree, glances, ...changes };
}

export function paths(result: ScanResult): string[] {
  return [...result.manifest.entries.keys()];
}

export function reasons(result: ScanResult): Record<string, SkipReason> {
  return Object.fromEntries(result.skipped.map(({ path, reason }) => [path, reason]));
}

export function sha256Of(text: string): string {
  const hasher = newHasher();
  hasher.update(new TextEncoder().encode(text));
  return hasher.digestHex();
}

/** Entries made of a path each, the content told by `content`. */
export function manifestOf(content: Readonly<Record<string, string>>, mtime = 1_731_912_306): Manifest {
  const entries: ManifestEntry[] = Object.entries(content).map(([path, text]) => {
    return { path, size: text.length, mtime, sha256: sha256Of(text) };
  });
  return {
    name: "test",
    root: "/workspace",
    created_at: "2025-11-18T04:05:06.789000+00:00",
    entries: orderedEntries(entries),
  };
}

export async function expectCode(run: () => unknown, code: ErrorCode): Promise<void> {
  let caught: unknown;
  try {
    await run();
  } catch (error) {
    caught = error;
  }
  expect(caught).toMatchObject({ name: "SyncError", code });
}
