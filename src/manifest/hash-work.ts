import { throwIfAborted } from "../core/errors.ts";
import type { NewHasher } from "../core/hash.ts";
import type { TreeReader } from "../platform/contract.ts";
import { FolderHasher } from "./folder-hasher.ts";
import type { HashAnswer, HashJob } from "./hash-job.ts";
import { type HashPool, ThreadLostError } from "./hash-pool.ts";
import { HashRecord } from "./hash-record.ts";
import { Turn } from "./turn.ts";

export interface HashTask {
  readonly job: HashJob;
  /** How many the job is about. */
  readonly files: number;
  /** Called while large files of the job are left; the record is filled as they are hashed. */
  readonly partly: (record: HashRecord) => void;
  readonly done: (done: DoneJob) => void;
}

export interface DoneJob {
  readonly record: HashRecord;
  /** Rows whose known hash holds. */
  readonly hits: number;
}

interface LargeTask extends HashTask {
  readonly bytes: number;
}

/** So many files are worth other threads at once, so much time or so many bytes when they turn out to be slow. */
const POOL_FILES = 2_000;
const POOL_AFTER_MS = 20;
const POOL_BYTES = 16_777_216;
/** Files told to another thread in one message; telling costs about as much as hashing a file. */
const BATCH_FILES = 1_024;
/** From this size on the largest goes first, so that no core ends up alone with it. */
const HUGE_BYTES = 67_108_864;

/** Jobs to be done, and the large files that they turn up, each of which becomes a job of its own. */
export class HashWork {
  readonly #tasks: Iterator<HashTask>;
  readonly #local: FolderHasher;
  readonly #large: LargeTask[] = [];
  /** Smallest first. */
  readonly #huge: LargeTask[] = [];
  readonly #onBytes: (count: number) => void;
  readonly #signal: AbortSignal | undefined;
  #largeBytes = 0;
  #exhausted = false;

  constructor(
    options: { readonly tree: TreeReader; readonly newHasher: NewHasher },
    tasks: Iterator<HashTask>,
    onBytes: (count: number) => void,
    signal: AbortSignal | undefined,
  ) {
    throwIfAborted(signal);
    this.#tasks = tasks;
    this.#local = new FolderHasher(options.tree, options.newHasher, onBytes);
    this.#onBytes = onBytes;
    this.#signal = signal;
  }

  /** Does everything: what is quick here, the rest in `pool`. @throws SyncError `aborted` */
  async run(pool: HashPool | undefined, files: number): Promise<void> {
    const turn = new Turn(this.#signal);
    const poolAt = pool === undefined ? Number.POSITIVE_INFINITY : performance.now() + POOL_AFTER_MS;
    const isQuick = () => performance.now() < poolAt && (files < POOL_FILES || pool === undefined);
    while (isQuick()) {
      const task = this.#nextSmall();
      if (task === undefined) break;
      this.#finish(task, await this.#local.run(task.job, turn));
    }
    const isLittle = this.#exhausted && this.#largeBytes < POOL_BYTES;
    if (pool !== undefined && !isLittle) await this.#runInPool(pool);
    else
      for (let task = this.#nextLarge(); task !== undefined; task = this.#nextLarge()) await this.#here([task], turn);
  }

  async #runInPool(pool: HashPool): Promise<void> {
    const running = new Set<Promise<void>>();
    let largeRunning = 0;
    const start = (batch: readonly HashTask[], isLarge: boolean) => {
      if (isLarge) largeRunning++;
      const work = this.#inPool(pool, batch, isLarge).finally(() => {
        running.delete(work);
        if (isLarge) largeRunning--;
      });
      running.add(work);
    };
    for (;;) {
      while (running.size < pool.depth) {
        const large = largeRunning < pool.threads ? this.#nextLarge() : undefined;
        const batch = large === undefined ? this.#nextBatch() : [large];
        if (batch.length === 0) break;
        start(batch, large !== undefined);
      }
      if (running.size === 0) return;
      await Promise.race(running);
    }
  }

  async #inPool(pool: HashPool, batch: readonly HashTask[], isLarge: boolean): Promise<void> {
    let answers: readonly HashAnswer[];
    try {
      const jobs = batch.map(({ job }) => job);
      answers = await pool.run(jobs, isLarge, this.#onBytes, this.#signal);
    } catch (error) {
      if (!(error instanceof ThreadLostError)) throw error;
      return await this.#here(batch, new Turn(this.#signal));
    }
    for (const [k, answer] of answers.entries()) {
      const task = batch[k];
      if (task !== undefined) this.#finish(task, answer);
    }
  }

  async #here(batch: readonly HashTask[], turn: Turn): Promise<void> {
    for (const task of batch) this.#finish(task, await this.#local.run(task.job, turn));
  }

  #nextSmall(): HashTask | undefined {
    const next = this.#exhausted ? undefined : this.#tasks.next();
    if (next !== undefined && next.done !== true) return next.value;
    this.#exhausted = true;
    return undefined;
  }

  #nextBatch(): HashTask[] {
    const batch: HashTask[] = [];
    for (let files = 0; files < BATCH_FILES; ) {
      const task = this.#nextSmall();
      if (task === undefined) break;
      batch.push(task);
      files += task.files;
    }
    return batch;
  }

  #nextLarge(): LargeTask | undefined {
    return this.#huge.pop() ?? this.#large.pop();
  }

  /** Tells what came of a task, once its large files are hashed too. */
  #finish(task: HashTask, { record: bytes = task.job.known[0], hits }: HashAnswer): void {
    if (bytes === undefined) throw new TypeError("an answer refers to a record that was not given");
    const record = new HashRecord(bytes);
    const names = record.hashedRows === record.rows ? [] : task.job.names.split("\0");
    let left = 0;
    for (const [row, name] of names.entries()) {
      if (!record.isLarge(row)) continue;
      left++;
      const job = { ...task.job, names: name, known: [], takesLarge: true };
      const done = (large: DoneJob) => {
        record.copyRow(row, large.record, 0);
        if (--left === 0) task.done({ record, hits });
        else task.partly(record);
      };
      this.#addLarge({ ...task, job, files: 1, done, bytes: record.size[row] ?? 0 });
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
