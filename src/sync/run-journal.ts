import type { RelativePath } from "../core/paths.ts";
import type { AppendHandle, Files } from "../platform/contract.ts";
import type { Provider } from "../providers/contract.ts";
import type { Engine } from "./engine.ts";
import { jsonLine, readJsonLines } from "./json-lines.ts";
import type { TreeLayout } from "./tree-layout.ts";

/** An object that reached the store during a run whose manifest is not published yet. */
export interface ArrivedObject {
  readonly path: RelativePath;
  /** Bytes. */
  readonly size: number;
  readonly sha256: string;
  /** Of the stored object: what tells it from any other content under that key. */
  readonly version: string;
}

/**
 * What arrived, one JSON line an object, so that a run that is cut off is not repeated from zero. A hint, never a proof:
 * a record counts only when a listing shows the same version. So it is not fsynced, and losing it costs time alone.
 */
export interface RunJournal {
  /** At once, so that a kill right after an upload does not cost it. */
  add(object: ArrivedObject): void;
  close(): Promise<void>;
}

/** One journal for each snapshot of each destination: `cache/cloud/journal/<16 hex digits>/<snapshot>.jsonl`. */
export function journalPath(engine: Engine, provider: Provider, layout: TreeLayout): string {
  const folder = destinationId(engine, provider, layout);
  return engine.files.join(engine.root, "cache", "cloud", "journal", folder, `${layout.snapshot}.jsonl`);
}

/** 16 hex digits for one snapshot of one destination: what this machine remembers of another must not be taken for its own. */
export function destinationId(engine: Engine, provider: Provider, layout: TreeLayout): string {
  const hasher = engine.newHasher();
  hasher.update(new TextEncoder().encode(`${provider.identity}\n${layout.objectPrefix}`));
  return hasher.digestHex().slice(0, 16);
}

export async function openJournal(files: Files, path: string): Promise<RunJournal> {
  const handle: AppendHandle = await files.openAppend(path);
  return {
    add: (object) => handle.append(jsonLine(object)),
    close: () => handle.close(),
  };
}

/** The last record of each path; empty when there is no journal. */
export async function readJournal(files: Files, path: string): Promise<ReadonlyMap<RelativePath, ArrivedObject>> {
  const arrived = new Map<RelativePath, ArrivedObject>();
  for (const { path: of, size, sha256, version } of await readJsonLines(files, path)) {
    if (typeof of !== "string" || typeof size !== "number") continue;
    if (typeof sha256 === "string" && typeof version === "string") arrived.set(of, { path: of, size, sha256, version });
  }
  return arrived;
}
