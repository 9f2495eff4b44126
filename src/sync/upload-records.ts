import type { JsonObject } from "../core/json.ts";
import type { Provider, UploadRecords } from "../providers/contract.ts";
import type { Engine } from "./engine.ts";
import { jsonLine, readJsonLines } from "./json-lines.ts";
import { destinationId } from "./run-journal.ts";
import type { TreeLayout } from "./tree-layout.ts";

/** Ten thousand parts, each a line of two hundred bytes, and as much again. */
const RECORDS_BYTES_MAX = 4 * 1024 * 1024;

/** How long an upload is kept for a run of its part of the tree. Drive keeps sessions for as long. */
const KEPT_MS_MAX = 7 * 24 * 3_600_000;
/** Of the first line, which is ours: the rest is the provider's. */
const KEY_FIELD = "object_key";

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
    return this.#records(() => this.#nameOf(key), key);
  }

  /**
   * The records that nobody will go on with: of keys that are not `wanted` now, nor `wantedLater` by a run soon after the
   * one that was cut off. Also those whose key is not known any more.
   */
  async abandoned(
    wanted: (key: string) => boolean,
    wantedLater: (key: string) => boolean,
  ): Promise<readonly UploadRecords[]> {
    const found: UploadRecords[] = [];
    for (const name of this.#names) {
      const header = (await this.#read(name)).find(isHeader);
      const key = header?.[KEY_FIELD];
      const kept = typeof key === "string" && (wanted(key) || (wantedLater(key) && (await this.#isRecent(name))));
      if (!kept) found.push(this.#records(() => name, undefined));
    }
    return found;
  }

  #records(nameOf: () => string, key: string | undefined): UploadRecords {
    const { files } = this.#engine;
    return {
      load: async () => {
        if (this.#names.size === 0 || !this.#names.has(nameOf())) return [];
        return (await this.#read(nameOf())).filter((record) => !isHeader(record));
      },
      add: async (record) => {
        // A full disk is no reason to end an upload that works.
        await this.#append(nameOf(), key, record).catch(() => undefined);
      },
      clear: async () => {
        if (this.#names.size === 0 || !this.#names.delete(nameOf())) return;
        await files.remove(this.#pathOf(nameOf())).catch(() => false);
      },
    };
  }

  async #read(name: string): Promise<readonly JsonObject[]> {
    return await readJsonLines(this.#engine.files, this.#pathOf(name), RECORDS_BYTES_MAX).catch(() => []);
  }

  async #append(name: string, key: string | undefined, record: JsonObject): Promise<void> {
    // Whoever reads a record may hold the right to send to the upload that it leads to.
    const handle = await this.#engine.files.openAppend(this.#pathOf(name), { mode: 0o600 });
    try {
      if (!this.#names.has(name)) handle.append(jsonLine({ [KEY_FIELD]: key }));
      this.#names.add(name);
      handle.append(jsonLine(record));
    } finally {
      await handle.close();
    }
  }

  async #isRecent(name: string): Promise<boolean> {
    const stat = await this.#engine.files.stat(this.#pathOf(name)).catch(() => undefined);
    return stat !== undefined && this.#engine.clock.now() - Number(stat.mtimeNs / 1_000_000n) < KEPT_MS_MAX;
  }

  #pathOf(name: string): string {
    return this.#engine.files.join(this.#folder, name);
  }

  #nameOf(key: string): string {
    const hasher = this.#engine.newHasher();
    hasher.update(new TextEncoder().encode(key));
    return `${hasher.digestHex().slice(0, 32)}.jsonl`;
  }
}

function isHeader(record: JsonObject): boolean {
  return KEY_FIELD in record;
}
