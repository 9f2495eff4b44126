import type { Provider, UploadRecords } from "../providers/contract.ts";
import type { Engine } from "./engine.ts";
import { jsonLine, readJsonLines } from "./json-lines.ts";
import { destinationId } from "./run-journal.ts";
import type { TreeLayout } from "./tree-layout.ts";

/** Ten thousand parts, each a line of two hundred bytes, and as much again. */
const RECORDS_BYTES_MAX = 4 * 1024 * 1024;

/**
 * What providers keep of uploads that take long, so that one that is cut off goes on where it was:
 * `cache/cloud/uploads/<16 hex digits>/<32 of the key's SHA-256>.jsonl`, one file a key. Losing them costs time alone,
 * so nothing here fails a run. The caller holds the lock of the snapshot's runs.
 */
export class UploadRecordFiles {
  readonly #engine: Engine;
  readonly #folder: string;
  /** Names of the files that there are: most runs have none and need not look for each object. */
  readonly #names: Set<string>;

  private constructor(engine: Engine, folder: string, names: Iterable<string>) {
    this.#engine = engine;
    this.#folder = folder;
    this.#names = new Set(names);
  }

  static async open(engine: Engine, provider: Provider, layout: TreeLayout): Promise<UploadRecordFiles> {
    const { files, root } = engine;
    const folder = files.join(root, "cache", "cloud", "uploads", destinationId(engine, provider, layout));
    const names = await files.list(folder).catch(() => []);
    return new UploadRecordFiles(engine, folder, names ?? []);
  }

  of(key: string): UploadRecords {
    return this.#records(() => this.#nameOf(key));
  }

  /** The records of every key but `keys`: nobody will go on with what they lead to. */
  except(keys: Iterable<string>): UploadRecords[] {
    if (this.#names.size === 0) return [];
    const wanted = new Set([...keys].map((key) => this.#nameOf(key)));
    return [...this.#names].filter((name) => !wanted.has(name)).map((name) => this.#records(() => name));
  }

  #records(nameOf: () => string): UploadRecords {
    const { files } = this.#engine;
    const pathOf = (name: string) => files.join(this.#folder, name);
    return {
      load: async () => {
        if (this.#names.size === 0 || !this.#names.has(nameOf())) return [];
        return await readJsonLines(files, pathOf(nameOf()), RECORDS_BYTES_MAX).catch(() => []);
      },
      add: async (record) => {
        try {
          const handle = await files.openAppend(pathOf(nameOf()));
          this.#names.add(nameOf());
          try {
            handle.append(jsonLine(record));
          } finally {
            await handle.close();
          }
        } catch {
          // A full disk is no reason to end an upload that works.
        }
      },
      clear: async () => {
        if (this.#names.size === 0 || !this.#names.delete(nameOf())) return;
        await files.remove(pathOf(nameOf())).catch(() => false);
      },
    };
  }

  #nameOf(key: string): string {
    const hasher = this.#engine.newHasher();
    hasher.update(new TextEncoder().encode(key));
    return `${hasher.digestHex().slice(0, 32)}.jsonl`;
  }
}
