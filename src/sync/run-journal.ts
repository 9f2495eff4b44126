import { isJsonObject } from "../core/json.ts";
import type { RelativePath } from "../core/paths.ts";
import type { AppendHandle, Files } from "../platform/contract.ts";
import type { Provider } from "../providers/contract.ts";
import type { Engine } from "./engine.ts";
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
  const hasher = engine.newHasher();
  hasher.update(new TextEncoder().encode(`${provider.identity}\n${layout.objectPrefix}`));
  const destination = hasher.digestHex().slice(0, 16);
  return engine.files.join(engine.root, "cache", "cloud", "journal", destination, `${layout.snapshot}.jsonl`);
}

export async function openJournal(files: Files, path: string): Promise<RunJournal> {
  const handle: AppendHandle = await files.openAppend(path);
  return {
    // The line break comes first: a line torn by a crash is ended by the next record.
    add: (object) => handle.append(new TextEncoder().encode(`\n${JSON.stringify(object)}`)),
    close: () => handle.close(),
  };
}

/** The last record of each path; empty when there is no journal. Lines that are torn or foreign are passed over. */
export async function readJournal(files: Files, path: string): Promise<ReadonlyMap<RelativePath, ArrivedObject>> {
  const arrived = new Map<RelativePath, ArrivedObject>();
  const bytes = await files.readBytes(path);
  if (bytes === undefined) return arrived;
  for (const line of new TextDecoder().decode(bytes).split("\n")) {
    const object = parseRecord(line);
    if (object !== undefined) arrived.set(object.path, object);
  }
  return arrived;
}

function parseRecord(line: string): ArrivedObject | undefined {
  if (line === "") return undefined;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isJsonObject(value)) return undefined;
  const { path, size, sha256, version } = value;
  if (
    typeof path !== "string" ||
    typeof size !== "number" ||
    typeof sha256 !== "string" ||
    typeof version !== "string"
  ) {
    return undefined;
  }
  return { path, size, sha256, version };
}
