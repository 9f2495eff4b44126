import { SyncError, throwIfAborted } from "../core/errors.ts";
import type { RelativePath } from "../core/paths.ts";
import type { TreeWriter } from "../platform/contract.ts";
import { ThreadLostError, type ThreadPool } from "../threads/thread-pool.ts";
import { type BackupEngine, backupsFolder } from "./backup-engine.ts";
import type { OpenArchive } from "./open-archive.ts";
import { type ContentItem, nowhere, type ReadOptions, readContents } from "./read-contents.ts";
import { RestoreSink } from "./restore-sink.ts";
import { type ToldFault, UNPACK_WORK, type UnpackAnswer, type UnpackTerms } from "./unpack-job.ts";
import type { ArchiveEntry } from "./zip-directory.ts";

/** Files and bytes worth other threads. */
const POOL_FILES = 256;
const POOL_BYTES = 8_388_608;
/** Files and bytes told to a thread at once. */
const BATCH_FILES = 128;
const BATCH_BYTES = 4_194_304;
/** Without other threads of ours the platform's inflate what is larger. */
const INFLATE_HERE_BYTES_MAX = 32_768;

/** What is to be read of entries: @param replaces the paths at which a file stands */
export function itemsOf(
  { embedded }: OpenArchive,
  entries: readonly ArchiveEntry[],
  replaces: (path: RelativePath) => boolean = () => false,
): ContentItem[] {
  return entries.map((entry) => {
    const expected = embedded?.manifest.entries.get(entry.path);
    return { entry, expected, replaces: replaces(entry.path) };
  });
}

/**
 * Reads and checks the data of `items`, in this thread or, where it is much, in those of the pool; writes the files into
 * the workspace when there is a `writer`. Resolves or throws only when nothing is under way any more.
 * @throws SyncError `archive_invalid`, `aborted`; with a writer also `restore_conflict`, `disk_full`, `write_failed`
 */
export async function unpack(
  engine: BackupEngine,
  archive: OpenArchive,
  items: readonly ContentItem[],
  writer: TreeWriter | undefined,
  options: ReadOptions,
): Promise<void> {
  const here = (some: readonly ContentItem[]) => {
    const { compression, newHasher } = engine;
    const reading = { file: archive.file, compression, newHasher, inflateHereBytesMax: INFLATE_HERE_BYTES_MAX };
    return readContents(reading, some, writer === undefined ? nowhere : new RestoreSink(writer), options);
  };
  const bytes = items.reduce((sum, { entry }) => sum + entry.size, 0);
  if (engine.pool === undefined || (items.length < POOL_FILES && bytes < POOL_BYTES)) return await here(items);
  const terms = await termsOf(engine, archive, writer !== undefined);
  await new PooledUnpacking(engine.pool, terms, here, options).run(items);
}

async function termsOf(engine: BackupEngine, { file, name }: OpenArchive, writes: boolean): Promise<UnpackTerms> {
  const { files, root } = engine;
  const { inode, device, size } = await file.stat();
  const archive = { native: files.join(backupsFolder(engine), name), identity: { inode, device, size } };
  if (!writes) return { archive, root: undefined };
  const stat = await files.stat(root);
  if (stat === undefined) throw new SyncError("root_missing", "the workspace folder is gone");
  return { archive, root: { native: root, identity: { inode: stat.inode, device: stat.device, size: stat.size } } };
}

class PooledUnpacking {
  readonly #running = new Set<Promise<void>>();
  /** Of the earliest entry, so that the same archive gives the same answer. */
  #fault: { readonly batch: number; readonly error: unknown } | undefined;

  constructor(
    private readonly pool: ThreadPool,
    private readonly terms: UnpackTerms,
    private readonly here: (items: readonly ContentItem[]) => Promise<void>,
    private readonly options: ReadOptions,
  ) {}

  async run(items: readonly ContentItem[]): Promise<void> {
    let number = 0;
    for (const batch of batches(items)) {
      if (this.#fault !== undefined || this.options.signal?.aborted === true) break;
      const work = this.#unpack(batch, number++).finally(() => this.#running.delete(work));
      this.#running.add(work);
      if (this.#running.size >= this.pool.depth) await Promise.race(this.#running);
    }
    await Promise.all(this.#running);
    if (this.#fault !== undefined) throw this.#fault.error;
    throwIfAborted(this.options.signal);
  }

  async #unpack(items: readonly ContentItem[], batch: number): Promise<void> {
    const { signal, onBytes, takesFault } = this.options;
    try {
      const job = { items, goesOn: takesFault !== undefined };
      const request = { onBytes, signal, waits: true };
      const [answer] = await this.pool.run(UNPACK_WORK, this.terms, [job], request);
      if (answer !== undefined) this.#take(answer, items, batch);
    } catch (error) {
      if (!(error instanceof ThreadLostError)) return this.#note(batch, error);
      // Whatever the lost thread has written is whole, and is written again.
      await this.here(items).catch((thrown: unknown) => this.#note(batch, thrown));
    }
  }

  #take({ done, faults }: UnpackAnswer, items: readonly ContentItem[], batch: number): void {
    for (const place of done) {
      const item = items[place];
      if (item !== undefined) this.options.onFile(item);
    }
    for (const fault of faults) {
      const item = fault.item === undefined ? undefined : items[fault.item];
      const error = errorOf(fault);
      if (item === undefined || this.options.takesFault?.(item, error) !== true) this.#note(batch, error);
    }
  }

  #note(batch: number, error: unknown): void {
    if (this.#fault === undefined || batch < this.#fault.batch) this.#fault = { batch, error };
  }
}

function errorOf({ code, message, details }: ToldFault): SyncError {
  return new SyncError(code, message, details === undefined ? {} : { details });
}

function* batches(items: readonly ContentItem[]): Generator<ContentItem[]> {
  let batch: ContentItem[] = [];
  let bytes = 0;
  for (const item of items) {
    batch.push(item);
    bytes += item.entry.size;
    if (batch.length < BATCH_FILES && bytes < BATCH_BYTES) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}
