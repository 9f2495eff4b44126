import { SyncError, throwIfAborted } from "../core/errors.ts";
import type { TreeWriter } from "../platform/contract.ts";
import { ThreadLostError, type ThreadPool } from "../threads/thread-pool.ts";
import { type BackupEngine, backupsFolder } from "./backup-engine.ts";
import { contentItems } from "./content-items.ts";
import type { OpenArchive } from "./open-archive.ts";
import { nowhere, type ReadOptions, readContents } from "./read-contents.ts";
import { RestoreSink } from "./restore-sink.ts";
import { type ToldFault, UNPACK_WORK, type UnpackAnswer, type UnpackJob, type UnpackTerms } from "./unpack-job.ts";
import type { ArchiveDirectory } from "./zip-directory.ts";

/** Files and bytes worth other threads. */
const POOL_FILES = 256;
const POOL_BYTES = 8_388_608;
/** Files and bytes told to a thread at once. */
const BATCH_FILES = 1_024;
const BATCH_BYTES = 4_194_304;
/** Without other threads of ours the platform's inflate what is larger. */
const INFLATE_HERE_BYTES_MAX = 32_768;

export interface Unpacked {
  /** In the archive's directory, in the order of the data. */
  readonly places: readonly number[];
  /** Of them, those at whose paths a file stands. Default none. */
  readonly replaces?: ReadonlySet<number>;
  /** Of all of them. */
  readonly bytes: number;
}

/**
 * Reads and checks the data of entries, in this thread or, where it is much, in those of the pool; writes the files into
 * the workspace when there is a `writer`. Resolves or throws only when nothing is under way any more.
 * @throws SyncError `archive_invalid`, `aborted`; with a writer also `restore_conflict`, `disk_full`, `write_failed`
 */
export async function unpack(
  engine: BackupEngine,
  archive: OpenArchive,
  { places, replaces = new Set(), bytes }: Unpacked,
  writer: TreeWriter | undefined,
  options: ReadOptions,
): Promise<void> {
  const { directory, embedded } = archive;
  const here = (some: readonly number[]) => {
    const { compression, newHasher } = engine;
    const reading = { file: archive.file, compression, newHasher, inflateHereBytesMax: INFLATE_HERE_BYTES_MAX };
    const items = contentItems(directory, embedded?.known, some, replaces);
    return readContents(reading, items, writer === undefined ? nowhere : new RestoreSink(writer), options);
  };
  if (engine.pool === undefined || (places.length < POOL_FILES && bytes < POOL_BYTES)) return await here(places);
  const terms = await termsOf(engine, archive, writer !== undefined);
  const jobOf = (batch: readonly number[]): UnpackJob => ({
    part: directory.part(batch),
    known: embedded?.known.part(batch),
    replaces: [...batch.keys()].filter((at) => replaces.has(batch[at] ?? -1)),
    goesOn: options.takesFault !== undefined,
  });
  await new PooledUnpacking(engine.pool, terms, jobOf, here, options).run(batches(directory, places));
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
  /** Resolves when the batches of lost threads that there are so far are done. */
  #lost = Promise.resolve();
  /** Of the earliest entry, so that the same archive gives the same answer. */
  #fault: { readonly batch: number; readonly error: unknown } | undefined;

  constructor(
    private readonly pool: ThreadPool,
    private readonly terms: UnpackTerms,
    private readonly jobOf: (batch: readonly number[]) => UnpackJob,
    private readonly here: (batch: readonly number[]) => Promise<void>,
    private readonly options: ReadOptions,
  ) {}

  async run(all: Iterable<readonly number[]>): Promise<void> {
    let number = 0;
    for (const batch of all) {
      if (this.#fault !== undefined || this.options.signal?.aborted === true) break;
      const work = this.#unpack(batch, number++).finally(() => this.#running.delete(work));
      this.#running.add(work);
      if (this.#running.size >= this.pool.depth) await Promise.race(this.#running);
    }
    await Promise.all(this.#running);
    if (this.#fault !== undefined) throw this.#fault.error;
    throwIfAborted(this.options.signal);
  }

  async #unpack(batch: readonly number[], number: number): Promise<void> {
    const { signal, onBytes } = this.options;
    try {
      const job = this.jobOf(batch);
      const request = { onBytes, signal, waits: true, transfer: buffersOf(job) };
      const [answer] = await this.pool.run(UNPACK_WORK, this.terms, [job], request);
      if (answer !== undefined) this.#take(answer, batch, number);
    } catch (error) {
      if (!(error instanceof ThreadLostError)) return this.#note(number, error);
      // Whatever the lost thread has written is whole, and is written again. One batch at a time: they share a window.
      this.#lost = this.#lost.then(() => this.here(batch)).catch((thrown: unknown) => this.#note(number, thrown));
      await this.#lost;
    }
  }

  #take({ done, faults }: UnpackAnswer, batch: readonly number[], number: number): void {
    for (const at of done) {
      const place = batch[at];
      if (place !== undefined) this.options.onFile(place);
    }
    for (const fault of faults) {
      const place = fault.place === undefined ? undefined : batch[fault.place];
      const error = errorOf(fault);
      if (place === undefined || this.options.takesFault?.(place, error) !== true) this.#note(number, error);
    }
  }

  #note(batch: number, error: unknown): void {
    if (this.#fault === undefined || batch < this.#fault.batch) this.#fault = { batch, error };
  }
}

/** Made for the job alone, so that they need not be copied. */
function buffersOf({ part, known }: UnpackJob): ArrayBuffer[] {
  const columns = known === undefined ? [] : [known.sizes, known.mtimes, known.digests];
  return [part.headers, part.ends, ...columns].map(({ buffer }) => buffer);
}

function errorOf({ code, message, details }: ToldFault): SyncError {
  return new SyncError(code, message, details === undefined ? {} : { details });
}

function* batches(directory: ArchiveDirectory, places: readonly number[]): Generator<number[]> {
  let batch: number[] = [];
  let bytes = 0;
  for (const place of places) {
    batch.push(place);
    bytes += directory.size(place);
    if (batch.length < BATCH_FILES && bytes < BATCH_BYTES) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}
