import { applyEdits, modify, type ParseError, parseTree } from "jsonc-parser";
import { SyncError, toSyncError } from "../../core/errors.ts";
import { isJsonObject } from "../../core/json.ts";
import type { Files, FileStat, TreeReader } from "../../platform/contract.ts";

/** Shared with the Python studio: a JSON list of `{event, url, secret}`, secret empty for none. */
const WEBHOOKS_FILE = "data/webhooks.json";
/** Under the cache, which no manifest holds. The studio takes no lock. */
const LOCK_FILE = "cache/cloud/locks/webhooks.lock";
const SETTLED_MS = 2_000;
const FILE_BYTES_MAX = 1024 * 1024;
/** It holds secrets as they are, since the studio reads them there. */
const NEW_FILE_MODE = 0o600;

export interface Subscription {
  readonly event: string;
  readonly url: string;
  /** undefined: what is sent is not signed. */
  readonly secret: string | undefined;
}

export interface SubscriptionFileOptions {
  readonly files: Files;
  readonly tree: TreeReader;
  /** Native path of the workspace. */
  readonly root: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Called with the file's content whenever it is read anew. */
  readonly onRead: (items: readonly Subscription[]) => void;
}

/**
 * The subscriptions of a workspace. The file is the studio's as much as ours: a change touches the characters of its own
 * item and no others, and a file that cannot be understood is never written.
 */
export class SubscriptionFile {
  readonly #options: SubscriptionFileOptions;
  #known: { readonly stat: FileStat; readonly items: readonly Subscription[] } | undefined;

  constructor(options: SubscriptionFileOptions) {
    this.#options = options;
  }

  /**
   * As the file is now, at once. None when there is no file.
   * @throws SyncError `webhooks_malformed`, `file_unreadable`
   */
  read(): readonly Subscription[] {
    const { tree } = this.#options;
    const path = this.#path();
    const stat = tree.stat(path);
    if (stat === undefined) return [];
    if (this.#known !== undefined && isUnchanged(this.#known.stat, stat)) return this.#known.items;
    const items = parseSubscriptions(readText(tree, path));
    this.#known = this.#isSettled(stat) ? { stat, items } : undefined;
    this.#options.onRead(items);
    return items;
  }

  /** Adds a subscription, or gives the one of this event and address its secret. @throws SyncError `webhooks_malformed`, of the file */
  async put(subscription: Subscription): Promise<void> {
    const { event, url, secret = "" } = subscription;
    await this.#edit((text, items) => {
      const at = items.findIndex((item) => item?.event === event && item.url === url);
      if (at >= 0) return edited(text, [at, "secret"], secret);
      return edited(text, [items.length], { event, url, secret });
    });
  }

  /** Removes what `isWanted` names; how many that was. @throws SyncError `webhooks_malformed`, of the file */
  async remove(isWanted: (item: Subscription) => boolean): Promise<number> {
    let removed = 0;
    await this.#edit((text, items) => {
      const places = items.flatMap((item, at) => (item !== undefined && isWanted(item) ? [at] : []));
      removed = places.length;
      // From the end, so that the places before it stay.
      return places.toReversed().reduce((rest, at) => edited(rest, [at], undefined), text);
    });
    return removed;
  }

  /** Two writes in one tick of the file system's clock cannot be told apart by their times. */
  #isSettled({ mtimeNs, ctimeNs }: FileStat): boolean {
    const latestMs = Number((mtimeNs > ctimeNs ? mtimeNs : ctimeNs) / 1_000_000n);
    return this.#options.now() - latestMs > SETTLED_MS;
  }

  #path(): string {
    return this.#options.files.join(this.#options.root, ...WEBHOOKS_FILE.split("/"));
  }

  /** A symlinked file is written through its link. */
  async #edit(change: (text: string, items: readonly (Subscription | undefined)[]) => string): Promise<void> {
    const { files, root } = this.#options;
    const lock = await files.lock(files.join(root, LOCK_FILE));
    try {
      const path = (await files.realPath(this.#path())) ?? this.#path();
      const bytes = await files.readBytes(path, FILE_BYTES_MAX);
      const text = bytes === undefined ? "[]\n" : decode(bytes);
      const next = change(text, itemsOf(text));
      if (bytes === undefined ? next === "[]\n" : next === text) return;
      const encoded = new TextEncoder().encode(next);
      if (encoded.byteLength > FILE_BYTES_MAX) {
        throw new SyncError("bad_request", `${WEBHOOKS_FILE} is full; delete webhooks that are no longer needed`);
      }
      await files.writeAtomic(path, encoded, { mode: (await files.stat(path))?.mode ?? NEW_FILE_MODE });
    } finally {
      lock.release();
    }
  }
}

/** @throws SyncError `webhooks_malformed` */
function parseSubscriptions(text: string): readonly Subscription[] {
  return itemsOf(text).filter((item) => item !== undefined);
}

/** By their place in the list; undefined for what is no subscription as we know them, which is left alone. */
function itemsOf(text: string): readonly (Subscription | undefined)[] {
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
  const list = parsed(text);
  if (errors.length > 0 || tree === undefined || !Array.isArray(list)) throw malformed(text, errors[0]?.offset ?? 0);
  return list.map(subscriptionOf);
}

/** As the studio reads it; undefined for what is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function subscriptionOf(item: unknown): Subscription | undefined {
  if (!isJsonObject(item)) return undefined;
  const { event, url, secret } = item;
  if (typeof event !== "string" || typeof url !== "string") return undefined;
  return { event, url, secret: typeof secret === "string" && secret !== "" ? secret : undefined };
}

function malformed(text: string, offset: number): SyncError {
  const lines = text.slice(0, offset).split("\n");
  return new SyncError(
    "webhooks_malformed",
    `${WEBHOOKS_FILE} is not the JSON list that is kept there (line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}); put it right or move it away. Nothing in it was changed`,
  );
}

function edited(text: string, path: readonly (string | number)[], value: unknown): string {
  const formattingOptions = { insertSpaces: true, tabSize: 2, eol: "\n" };
  return applyEdits(text, modify(text, [...path], value, { formattingOptions }));
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new SyncError("webhooks_malformed", `${WEBHOOKS_FILE} is not valid UTF-8 text; nothing in it was changed`, {
      cause: error,
    });
  }
}

/** A file that another process is writing right now may be read in half: the next look at it is another one. */
function readText(tree: TreeReader, path: string): string {
  const file = tree.open(path, { followSymlink: true });
  try {
    const bytes = new Uint8Array(FILE_BYTES_MAX + 1);
    let length = 0;
    for (let count = file.read(bytes); count > 0; count = file.read(bytes.subarray(length))) length += count;
    if (length > FILE_BYTES_MAX) {
      throw new SyncError("webhooks_malformed", `${WEBHOOKS_FILE} is larger than ${FILE_BYTES_MAX} bytes`);
    }
    return decode(bytes.subarray(0, length));
  } catch (error) {
    throw toSyncError(error);
  } finally {
    file.close();
  }
}

function isUnchanged(a: FileStat, b: FileStat): boolean {
  return (
    a.size === b.size &&
    a.mtimeNs === b.mtimeNs &&
    a.ctimeNs === b.ctimeNs &&
    a.inode === b.inode &&
    a.device === b.device
  );
}
