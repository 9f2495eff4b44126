import { type Clock, systemClock } from "../core/clock.ts";
import type { NewHasher } from "../core/hash.ts";
import type { RelativePath } from "../core/paths.ts";
import type { FileStat, TreeReader } from "../platform/contract.ts";
import { byFolder, type HashJob, inParts } from "./hash-job.ts";
import type { HashIndex, OpenHashIndex } from "./hash-index.ts";
import type { HashPool } from "./hash-pool.ts";
import type { HashRecord } from "./hash-record.ts";
import { type DoneJob, type HashTask, HashWork } from "./hash-work.ts";
import type { PathRule } from "./inherited.ts";
import type { SkipReason } from "./manifest.ts";

export interface FileToHash {
  readonly path: RelativePath;
  /** Native path of its folder, with the last separator: `folder + name` is the file, and no symlink itself. */
  readonly folder: string;
  readonly name: string;
  /** The two together. */
  readonly native: string;
}

/** Everything is of the file while it was open, the same before and after its bytes were read. */
export interface HashedFile {
  /** Bytes. */
  readonly size: number;
  /** Seconds since the epoch, as a manifest has them. */
  readonly mtime: number;
  /** Lower-case hex. */
  readonly sha256: string;
  /** True when `stat` is of the same file, perhaps under another name. */
  is(stat: FileStat): boolean;
}

/** A file's hash, or why there is none. */
export type HashOutcome = HashedFile | SkipReason;

export interface HashSink {
  /** Called once a file, in any order; `index` is the file's place in the list. */
  done(index: number, outcome: HashOutcome): void;
  /** Bytes read since the last call. */
  bytes(count: number): void;
}

export interface HashOptions {
  readonly signal?: AbortSignal | undefined;
  /** Default false: what the index knows of unchanged files is believed. */
  readonly rehash?: boolean | undefined;
  /** True for paths that are in the list unless they are gone: the index forgets those that are not. Default: none. */
  readonly holds?: PathRule | undefined;
}

/** Hashes every file of a list. Who does it is up to the caller of a scan. @throws SyncError `aborted` */
export type FileHasher = (files: readonly FileToHash[], sink: HashSink, options?: HashOptions) => Promise<void>;

export interface FileHasherOptions {
  readonly tree: TreeReader;
  readonly newHasher: NewHasher;
  readonly clock?: Clock | undefined;
  /** Other threads that hash; without them this one does. */
  readonly pool?: HashPool | undefined;
  /** What remembers hashes from scan to scan; without it every file is read. */
  readonly openIndex?: OpenHashIndex | undefined;
}

/** Hashes in this thread, giving the event loop its turn. */
export function treeFileHasher(tree: TreeReader, newHasher: NewHasher): FileHasher {
  return createFileHasher({ tree, newHasher });
}

/** Hashes here or in other threads, whatever the index cannot answer. The result depends on neither. */
export function createFileHasher(options: FileHasherOptions): FileHasher {
  return async (files, sink, hashing = {}) => {
    const index = await options.openIndex?.(hashing.signal);
    let run: HashRun | undefined;
    try {
      run = new HashRun(files, sink, hashing, index, options.clock ?? systemClock);
      const work = new HashWork(options, run.tasks(), (count) => sink.bytes(count), hashing.signal);
      await work.run(options.pool, files.length);
      run.forgetGone();
    } finally {
      // Also when it was cancelled: what was hashed is not hashed again.
      run?.keepUnfinished();
      index?.close();
    }
  };
}

const SHA256_HEX_LENGTH = 64;

/** What is known of a folder while its jobs are done. */
interface FolderProgress {
  /** What the index calls it; undefined when it has no place there. */
  readonly key: string | undefined;
  jobsLeft: number;
  hits: number;
  readonly records: Set<HashRecord>;
}

/** One list of files on its way through jobs, the index and the sink. */
class HashRun {
  readonly #files: readonly FileToHash[];
  readonly #keys = new Set<string>();
  readonly #unfinished = new Set<FolderProgress>();

  constructor(
    files: readonly FileToHash[],
    private readonly sink: HashSink,
    private readonly options: HashOptions,
    private readonly index: HashIndex | undefined,
    private readonly clock: Clock,
  ) {
    this.#files = files;
  }

  *tasks(): Generator<HashTask> {
    for (const [folder, indices] of byFolder(this.#files)) {
      const parts = inParts(indices);
      const key = this.index?.keyOf(folder);
      if (key !== undefined) this.#keys.add(key);
      const progress: FolderProgress = { key, jobsLeft: parts.length, hits: 0, records: new Set() };
      this.#unfinished.add(progress);
      for (const [part, members] of parts.entries()) {
        const done = ({ record, hits }: DoneJob) => this.#take(record, hits, members, progress);
        const partly = (record: HashRecord) => this.#takePartly(record, progress);
        yield { job: this.#job(folder, this.#namesOf(members), part, key), files: members.length, partly, done };
      }
    }
  }

  /** Has the index remember also the files of folders that are not done. */
  keepUnfinished(): void {
    for (const { key, records } of this.#unfinished) {
      if (key !== undefined && records.size > 0) this.index?.addPartly(key, [...records]);
    }
  }

  /** Drops from the index what this scan would have met if it still were there. */
  forgetGone(): void {
    const { holds } = this.options;
    if (holds !== undefined) this.index?.forgetFolders((key) => !this.#keys.has(key), holds);
  }

  #namesOf(indices: readonly number[]): string[] {
    return indices.map((index) => this.#files[index]?.name ?? "");
  }

  #job(folder: string, names: readonly string[], part: number, key: string | undefined): HashJob {
    const known = key === undefined || this.options.rehash === true ? undefined : this.index?.known(key, names);
    return {
      folder,
      key: key ?? "",
      part,
      names: names.join("\0"),
      known: known?.map(({ bytes }) => bytes) ?? [],
      nowNs: BigInt(Math.floor(this.clock.now())) * 1_000_000n,
      takesLarge: false,
    };
  }

  #take(record: HashRecord, hits: number, indices: readonly number[], folder: FolderProgress): void {
    const hashes = record.hashes();
    for (let row = 0; row < indices.length; row++) {
      this.sink.done(indices[row] ?? 0, record.failure(row) ?? new RecordedFile(record, row, hashes));
    }
    folder.hits += hits;
    folder.records.add(record);
    if (--folder.jobsLeft === 0) {
      this.#unfinished.delete(folder);
      if (folder.key !== undefined)
        this.index?.update(folder.key, [...folder.records], folder.hits, this.options.holds);
    }
    this.#saveWhenDue();
  }

  #takePartly(record: HashRecord, folder: FolderProgress): void {
    folder.records.add(record);
    this.#saveWhenDue();
  }

  /** A process killed in a long scan has not worked for nothing. */
  #saveWhenDue(): void {
    if (this.index?.isSaveDue() !== true) return;
    this.keepUnfinished();
    this.index.save();
  }
}

class RecordedFile implements HashedFile {
  readonly size: number;
  readonly mtime: number;
  readonly sha256: string;

  constructor(
    private readonly record: HashRecord,
    private readonly row: number,
    hashes: string,
  ) {
    this.size = record.size[row] ?? 0;
    this.mtime = record.mtime[row] ?? 0;
    this.sha256 = hashes.slice(row * SHA256_HEX_LENGTH, (row + 1) * SHA256_HEX_LENGTH);
  }

  is(stat: FileStat): boolean {
    return this.record.isOf(this.row, stat);
  }
}
