import { isJsonObject } from "../../core/json.ts";
import type { AppendHandle } from "../../platform/contract.ts";
import type { ProviderContext } from "../contract.ts";
import { hashOf } from "./names.ts";

/** Drive's searches lag some seconds behind, in bad hours minutes. */
const LAG_MS_MAX = 15 * 60 * 1000;
const RECORD_BYTES_MAX = 64 * 1024 * 1024;

interface Begun {
  readonly key: string;
  /** undefined: the file is gone. */
  readonly id: string | undefined;
  readonly atMs: number;
}

/**
 * The ids under which this machine has begun to make files, by key, written down before each is made. A run that begins
 * within seconds of another's end, or of its kill, does not find those files by a search: asked for by id they are
 * there, and a create that is repeated under the same id makes no second one. Only for so long as a search may lag; a
 * record that is lost or wrong costs a request. No call throws.
 */
export class RecentFiles {
  readonly #context: ProviderContext;
  readonly #identity: string;
  /** What earlier providers of this machine have begun. */
  #earlier: Promise<Map<string, string>> | undefined;
  /** Keys of what this one has begun. */
  readonly #own = new Set<string>();
  #handle: Promise<AppendHandle | undefined> | undefined;

  /** @param identity of the destination: others have records of their own */
  constructor(context: ProviderContext, identity: string) {
    this.#context = context;
    this.#identity = identity;
  }

  /** Of files that an earlier provider has begun and this one has not taken up. */
  async earlier(): Promise<ReadonlyMap<string, string>> {
    return await this.#load();
  }

  /** The id to make the file of `key` under again; once. */
  async takeUp(key: string): Promise<string | undefined> {
    const earlier = await this.#load();
    const id = earlier.get(key);
    earlier.delete(key);
    return id;
  }

  /** To be waited for before the file is made. */
  async begins(key: string, id: string): Promise<void> {
    this.#own.add(key);
    await this.#add({ key, id, atMs: Date.now() });
  }

  /** The file of `key` was removed. */
  async ends(key: string): Promise<void> {
    const earlier = (await this.#load()).delete(key);
    if (this.#own.delete(key) || earlier) await this.#add({ key, id: undefined, atMs: Date.now() });
  }

  async close(): Promise<void> {
    const handle = await this.#handle;
    this.#handle = undefined;
    await handle?.close().catch(() => undefined);
  }

  async #add(begun: Begun): Promise<void> {
    await this.#load();
    const handle = await (this.#handle ??= this.#open());
    try {
      handle?.append(lineOf(begun));
    } catch {
      // A full disk: the next run has to rely on the search.
    }
  }

  async #load(): Promise<Map<string, string>> {
    this.#earlier ??= this.#read().then((all) => {
      const ids = new Map<string, string>();
      for (const { key, id } of all)
        if (id === undefined) ids.delete(key);
        else ids.set(key, id);
      return ids;
    });
    return await this.#earlier;
  }

  /** Opens the record for more, without what is too old to matter. */
  async #open(): Promise<AppendHandle | undefined> {
    const { files } = this.#context;
    const path = this.#path();
    if (files === undefined || path === undefined) return undefined;
    try {
      const young = (await this.#read()).map((begun) => new TextDecoder().decode(lineOf(begun)));
      await files.writeAtomic(path, new TextEncoder().encode(young.join("")));
      return await files.openAppend(path);
    } catch {
      return undefined;
    }
  }

  async #read(): Promise<Begun[]> {
    const path = this.#path();
    if (path === undefined) return [];
    try {
      const bytes = await this.#context.files?.readBytes(path, RECORD_BYTES_MAX);
      const lines = new TextDecoder().decode(bytes ?? new Uint8Array(0)).split("\n");
      return lines.map(parseLine).filter((begun) => begun !== undefined);
    } catch {
      return [];
    }
  }

  #path(): string | undefined {
    const { files, stateFolder } = this.#context;
    if (files === undefined || stateFolder === undefined) return undefined;
    return files.join(stateFolder, "gdrive", `${hashOf(this.#identity).slice(0, 32)}.jsonl`);
  }
}

/** The line break comes first: a line torn by a kill is ended by the next one. */
function lineOf({ key, id, atMs }: Begun): Uint8Array {
  return new TextEncoder().encode(`\n${JSON.stringify({ key, id: id ?? null, at_ms: atMs })}`);
}

function parseLine(line: string): Begun | undefined {
  if (line === "") return undefined;
  try {
    const value: unknown = JSON.parse(line);
    if (!isJsonObject(value)) return undefined;
    const { key, id, at_ms: atMs } = value;
    if (typeof key !== "string" || typeof atMs !== "number" || Date.now() - atMs > LAG_MS_MAX) return undefined;
    return { key, id: typeof id === "string" ? id : undefined, atMs };
  } catch {
    return undefined;
  }
}
