import { throwIfAborted } from "../core/errors.ts";
import type { NewHasher } from "../core/hash.ts";
import type { TreeReader } from "../platform/contract.ts";
import { FolderHasher } from "./folder-hasher.ts";
import {
  type FilesAnswer,
  type FilesJob,
  type FolderAnswer,
  type FolderJob,
  HASH_WORK,
  type HashAnswer,
  type HashJob,
  type HashTerms,
  type UnlistedAnswer,
} from "./hash-job.ts";
import { ThreadLostError, type ThreadPool } from "../threads/thread-pool.ts";
import { HashRecord } from "./hash-record.ts";
import { Turn } from "../threads/turn.ts";

export interface FolderTask {
  readonly job: FolderJob;
  /** How many files the folder had when it was last listed; undefined when nobody knows. */
  readonly filesBefore: number | undefined;
  /** May add further tasks. */
  readonly done: (answer: FolderAnswer | UnlistedAnswer) => void;
}

export interface FilesTask {
  readonly job: FilesJob;
  /** How many the job is about. */
  readonly files: number;
  /** Called while large files of the job are left; the record is filled as they are hashed. */
  readonly partly: (record: HashRecord) => void;
  readonly done: (done: DoneFiles) => void;
}

export interface DoneFiles {
  readonly record: HashRecord;
  /** Rows whose known hash holds. */
  readonly hits: number;
}

type HashTask = FolderTask | FilesTask;

interface LargeTask extends FilesTask {
  readonly bytes: number;
}

export interface HashWorkOptions {
  readonly tree: TreeReader;
  readonly newHasher: NewHasher;
  /** Other threads that hash; without them this one does. */
  readonly pool: ThreadPool | undefined;
  readonly terms: HashTerms;
  readonly onBytes: (count: number) => void;
  readonly signal: AbortSignal | undefined;
}

/** So many files are worth other threads at once, so much time or so many bytes when they turn out to be slow. */
const POOL_FILES = 2_000;
const POOL_AFTER_MS = 20;
const POOL_BYTES = 16_777_216;
/**
 * Files told to another thread in one message; telling costs about as much as hashing a file. Fewer towards the end, so
 * that no thread is left alone with many.
 */
const BATCH_FILES_MAX = 1_024;
const BATCH_FILES_MIN = 128;
const BATCHES_PER_THREAD = 4;
/** A folder is taken to cost as much as so many files, whatever is in it. */
const FILES_PER_FOLDER = 8;
/**
 * This thread takes part while a file costs it no longer: then all is in memory, and telling another thread is what is
 * dear. A slow disk is waited for elsewhere, so that a server goes on answering.
 */
const QUICK_FILE_MS = 0.1;
/** Tasks of this thread's own between two looks at what the others say. */
const OWN_SLICE_MS = 2;
/** From this size on the largest goes first, so that no core ends up alone with it. */
const HUGE_BYTES = 67_108_864;

/** Jobs to be done, the jobs that these make, and the large files that they turn up, each a job of its own. */
export class HashWork {
  readonly #options: HashWorkOptions;
  readonly #local: FolderHasher;
  /**
   * All folders before all files: what is moved within the workspace while folders are being listed may be in none of
   * them, so that should not take as long as hashing does. The last goes first: few folders are waiting at any time.
   */
  readonly #folders: FolderTask[] = [];
  /** The first goes first, as the tree's files lie on most disks. */
  readonly #files = new Fifo<FilesTask>();
  readonly #large: LargeTask[] = [];
  /** Smallest first. */
  readonly #huge: LargeTask[] = [];
  #largeBytes = 0;
  /** In the tasks of `#folders` and `#files`; of folders that nobody knows only their number. */
  #filesWaiting = 0;
  #unknownWaiting = 0;
  #takesPart = true;
  readonly #own = { files: 0, ms: 0 };
  #foldersListed = 0;
  #filesListed = 0;

  constructor(options: HashWorkOptions) {
    throwIfAborted(options.signal);
    this.#options = options;
    this.#local = new FolderHasher(options.tree, options.newHasher, options.onBytes);
  }

  addFolder(task: FolderTask): void {
    this.#folders.push(task);
    this.#count(task, 1);
  }

  addFiles(task: FilesTask): void {
    this.#files.add(task);
    this.#count(task, 1);
  }

  /** Does everything: what is quick here, the rest in the pool. @throws SyncError `aborted` */
  async run(): Promise<void> {
    const { pool, signal } = this.#options;
    const turn = new Turn(signal);
    if (pool === undefined) return await this.#runHere(turn);
    const poolAt = performance.now() + POOL_AFTER_MS;
    while (performance.now() < poolAt && this.#filesExpected() < POOL_FILES) {
      const task = this.#nextSmall();
      if (task === undefined) break;
      await this.#here([task], turn);
    }
    if (this.#folders.length === 0 && this.#files.isEmpty && this.#largeBytes < POOL_BYTES) await this.#runHere(turn);
    else await this.#runInPool(pool);
  }

  async #runHere(turn: Turn): Promise<void> {
    for (let task = this.#next(); task !== undefined; task = this.#next()) await this.#here([task], turn);
  }

  async #runInPool(pool: ThreadPool): Promise<void> {
    const running = new Set<Promise<void>>();
    // Kept, for the work may end while nobody waits for it: a scan that goes on would lack its files.
    const failures: unknown[] = [];
    const turn = new Turn(this.#options.signal, OWN_SLICE_MS);
    let largeRunning = 0;
    const start = (batch: readonly HashTask[], isLarge: boolean, threads: number) => {
      if (isLarge) largeRunning++;
      const work = this.#inPool(pool, batch, isLarge, threads)
        .catch((error: unknown) => void failures.push(error))
        .finally(() => {
          running.delete(work);
          if (isLarge) largeRunning--;
        });
      running.add(work);
    };
    for (;;) {
      if (failures.length > 0) throw failures[0];
      const threads = pool.threads - (this.#takesPart ? 1 : 0);
      while (running.size < pool.depth) {
        const mayStartLarge = this.#folders.length === 0 && largeRunning < pool.threads;
        const large = mayStartLarge ? this.#nextLarge() : undefined;
        const maySmall = running.size - largeRunning < pool.depthOf(threads);
        const batch = large !== undefined ? [large] : maySmall ? this.#nextBatch(pool.threads) : [];
        if (batch.length === 0) break;
        start(batch, large !== undefined, large === undefined ? threads : pool.threads);
      }
      const own = this.#takesPart ? this.#nextSmall() : undefined;
      if (own !== undefined) await this.#ownTask(own, turn);
      else if (running.size === 0) return;
      else await Promise.race(running);
    }
  }

  async #ownTask(task: HashTask, turn: Turn): Promise<void> {
    const startMs = performance.now();
    await this.#here([task], turn);
    this.#own.ms += performance.now() - startMs;
    this.#own.files += this.#weight(task);
    this.#takesPart = this.#own.ms <= OWN_SLICE_MS || this.#own.ms < this.#own.files * QUICK_FILE_MS;
    if (turn.due()) await turn.pause();
  }

  async #inPool(pool: ThreadPool, batch: readonly HashTask[], isLarge: boolean, threads: number): Promise<void> {
    const { terms, onBytes, signal } = this.#options;
    let answers: readonly HashAnswer[];
    try {
      const { jobs, memory } = withOwnMemory(batch);
      answers = await pool.run(HASH_WORK, terms, jobs, { threads, isLarge, transfer: [memory], onBytes, signal });
    } catch (error) {
      if (!(error instanceof ThreadLostError)) throw error;
      return await this.#here(batch, new Turn(signal));
    }
    for (const [k, answer] of answers.entries()) {
      const task = batch[k];
      if (task !== undefined) this.#finish(task, answer);
    }
  }

  async #here(batch: readonly HashTask[], turn: Turn): Promise<void> {
    for (const task of batch) this.#finish(task, await this.#local.run(task.job, this.#options.terms, turn));
  }

  #next(): HashTask | undefined {
    return this.#nextSmall() ?? this.#nextLarge();
  }

  #nextSmall(): HashTask | undefined {
    const task = this.#folders.pop() ?? this.#files.take();
    if (task !== undefined) this.#count(task, -1);
    return task;
  }

  /** @param by 1 when the task begins to wait, -1 when it is taken */
  #count(task: HashTask, by: 1 | -1): void {
    const files = "files" in task ? task.files : task.filesBefore;
    if (files === undefined) this.#unknownWaiting += by;
    else this.#filesWaiting += by * files;
  }

  #nextLarge(): LargeTask | undefined {
    return this.#huge.pop() ?? this.#large.pop();
  }

  #nextBatch(threads: number): HashTask[] {
    const batch: HashTask[] = [];
    // What is left is shared out anew with every batch.
    const share = this.#weightWaiting() / (threads * BATCHES_PER_THREAD);
    const filesMax = Math.max(BATCH_FILES_MIN, Math.min(share, BATCH_FILES_MAX));
    for (let files = 0; files < filesMax; ) {
      const task = this.#nextSmall();
      if (task === undefined) break;
      batch.push(task);
      files += this.#weight(task);
    }
    return batch;
  }

  /** What a task costs, in files. A folder that nobody knows is taken for one like those before. */
  #weight(task: HashTask): number {
    if ("files" in task) return task.files;
    return FILES_PER_FOLDER + (task.filesBefore ?? this.#filesPerFolder());
  }

  /** Of all tasks that wait but the large ones. */
  #weightWaiting(): number {
    const folders = FILES_PER_FOLDER * this.#folders.length + this.#filesPerFolder() * this.#unknownWaiting;
    return folders + this.#filesWaiting;
  }

  #filesPerFolder(): number {
    return this.#filesListed / Math.max(1, this.#foldersListed);
  }

  /** Files that are known to be left to do. */
  #filesExpected(): number {
    let files = this.#filesListed;
    for (const { filesBefore = 0 } of this.#folders) files += filesBefore;
    return files;
  }

  #finish(task: HashTask, answer: HashAnswer): void {
    if ("files" in task) {
      if (answer.kind !== "files") throw new TypeError("the answer is to another kind of job");
      return this.finishFiles(task, answer);
    }
    if (answer.kind === "files") throw new TypeError("the answer is to another kind of job");
    this.#foldersListed++;
    if (answer.kind === "folder") this.#filesListed += answer.fileCount;
    task.done(answer);
  }

  /** Tells what came of files, once the large ones are hashed too. */
  finishFiles(task: FilesTask, { record: bytes = task.job.known[0], hits }: FilesAnswer): void {
    if (bytes === undefined) throw new TypeError("an answer refers to a record that was not given");
    const record = new HashRecord(bytes);
    const names = record.hashedRows === record.rows ? [] : record.names();
    let left = 0;
    for (const [row, name] of names.entries()) {
      if (!record.isLarge(row)) continue;
      left++;
      const job = { ...task.job, names: name, known: [], takesLarge: true };
      const done = (large: DoneFiles) => {
        record.copyRow(row, large.record, 0);
        if (--left === 0) task.done({ record, hits });
        else task.partly(record);
      };
      this.#addLarge({ ...task, job, files: 1, done, bytes: record.size(row) });
    }
    if (left === 0) task.done({ record, hits });
    else task.partly(record);
  }

  #addLarge(task: LargeTask): void {
    this.#largeBytes += task.bytes;
    if (task.bytes < HUGE_BYTES) {
      this.#large.push(task);
      return;
    }
    const at = this.#huge.findIndex(({ bytes }) => bytes >= task.bytes);
    this.#huge.splice(at < 0 ? this.#huge.length : at, 0, task);
  }
}

/** The jobs with copies of their records in one piece of memory, which can be handed over. */
function withOwnMemory(batch: readonly HashTask[]): { readonly jobs: HashJob[]; readonly memory: ArrayBuffer } {
  let length = 0;
  for (const { job } of batch) for (const { byteLength } of job.known) length += byteLength;
  const memory = new ArrayBuffer(length);
  let end = 0;
  const copied = (bytes: Uint8Array<ArrayBuffer>) => {
    const copy = new Uint8Array(memory, end, bytes.byteLength);
    copy.set(bytes);
    end += bytes.byteLength;
    return copy;
  };
  return { jobs: batch.map(({ job }) => ({ ...job, known: job.known.map(copied) })), memory };
}

class Fifo<T> {
  #items: (T | undefined)[] = [];
  #taken = 0;

  get isEmpty(): boolean {
    return this.#taken === this.#items.length;
  }

  add(item: T): void {
    this.#items.push(item);
  }

  take(): T | undefined {
    if (this.isEmpty) return undefined;
    const item = this.#items[this.#taken];
    // What was taken need not stay in memory.
    this.#items[this.#taken++] = undefined;
    return item;
  }
}
