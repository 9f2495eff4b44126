import { type Clock, systemClock } from "../core/clock.ts";
import type { NewHasher } from "../core/hash.ts";
import type { RelativePath } from "../core/paths.ts";
import type { FileStat, TreeReader } from "../platform/contract.ts";
import { folderIn, type FolderPlace, insideOf, prefixOf } from "./folder-lister.ts";
import { FolderNode, inOrder } from "./folder-node.ts";
import type { HashIndex, OpenHashIndex } from "./hash-index.ts";
import {
  type FilesAnswer,
  type FilesJob,
  type FolderAnswer,
  type FolderJob,
  HASH_WORK,
  JOB_FILES_MAX,
  splitNative,
  type UnlistedAnswer,
} from "./hash-job.ts";
import type { ThreadPool } from "../threads/thread-pool.ts";
import type { HashRecord } from "./hash-record.ts";
import { type DoneFiles, type FilesTask, HashWork } from "./hash-work.ts";
import { EntryCollector } from "./entries-in-order.ts";
import type { ManifestEntry, SkippedPath, SkipReason } from "./manifest.ts";
import { entriesOf, RecordedEntries, type RecordedRows, RowOrder } from "./recorded-entries.ts";
import type { ProgressMeter } from "./scan-progress.ts";
import type { Scope } from "./scope.ts";
import { Turn } from "../threads/turn.ts";
import type { Found, FoundFile, TreeWalk } from "./walk.ts";

export interface TreeToHash {
  readonly walk: TreeWalk;
  readonly scope: Scope;
  /** Files that are never recorded, under any name. */
  readonly protect: readonly FileStat[];
  readonly progress: ProgressMeter;
  readonly signal?: AbortSignal | undefined;
  /** Default false: what the index knows of unchanged files is believed. */
  readonly rehash?: boolean | undefined;
}

export interface HashedTree {
  /** By code point of the path. */
  readonly entries: ReadonlyMap<RelativePath, ManifestEntry>;
  /** In no order; besides what the walk has skipped. */
  readonly skipped: readonly SkippedPath[];
}

/** Lists the folders of a scan and hashes every file. Who does it is up to the caller of a scan. @throws SyncError `aborted` */
export type TreeHasher = (options: TreeToHash) => Promise<HashedTree>;

export interface TreeHasherOptions {
  readonly tree: TreeReader;
  readonly newHasher: NewHasher;
  readonly clock?: Clock | undefined;
  /** Other threads that hash; without them this one does. */
  readonly pool?: ThreadPool | undefined;
  /** What remembers hashes from scan to scan; without it every file is read. */
  readonly openIndex?: OpenHashIndex | undefined;
}

/** Hashes here or in other threads, whatever the index cannot answer. The result depends on neither. */
export function createTreeHasher(options: TreeHasherOptions): TreeHasher {
  return async (task) => {
    const index = await options.openIndex?.(() => options.pool?.prepare(HASH_WORK));
    let run: HashRun | undefined;
    try {
      run = new HashRun(options, task, index);
      return await run.run();
    } finally {
      // Also when it was cancelled: what was hashed is not hashed again.
      run?.keepUnfinished();
      index?.close();
    }
  };
}

/** What is known of a folder's files while its jobs are done. */
interface FolderProgress {
  readonly key: string | undefined;
  jobsLeft: number;
  hits: number;
  readonly records: Set<HashRecord>;
}

const NO_ROWS: ReadonlySet<number> = new Set();

let lastScan = 0;

/** One tree on its way through jobs, the index and into a manifest. */
class HashRun {
  readonly #work: HashWork;
  readonly #clock: Clock;
  readonly #roots: FolderNode[] = [];
  /** Of files that were not found in a folder of the scan, but named, or by a symlink. */
  readonly #loose: ManifestEntry[] = [];
  readonly #skipped: SkippedPath[] = [];
  readonly #keys = new Set<string>();
  readonly #unfinished = new Set<FolderProgress>();
  readonly #protect: readonly FileStat[];
  readonly #tree: TreeReader;

  constructor(
    options: TreeHasherOptions,
    private readonly task: TreeToHash,
    private readonly index: HashIndex | undefined,
  ) {
    const { tree, newHasher, pool } = options;
    const { progress, signal, walk, scope } = task;
    const terms = { scan: ++lastScan, rules: { exclude: scope.exclude, root: walk.root } };
    const onBytes = (count: number) => progress.bytesRead(count);
    this.#work = new HashWork({ tree, newHasher, pool, terms, onBytes, signal });
    this.#clock = options.clock ?? systemClock;
    this.#tree = tree;
    // Some file systems give every file the inode 0: that says nothing.
    this.#protect = task.protect.filter((file) => file.inode !== 0n);
  }

  async run(): Promise<HashedTree> {
    for (const found of this.task.walk.start().toReversed()) this.#add(found, this.#roots);
    this.#roots.reverse();
    await this.#work.run();
    this.index?.forgetFolders((key) => !this.#keys.has(key), this.task.scope.holds);
    return { entries: await this.#collect(), skipped: this.#skipped };
  }

  /** Has the index remember also the files of folders that are not done. */
  keepUnfinished(): void {
    for (const { key, records } of this.#unfinished) {
      if (key !== undefined && records.size > 0) this.index?.addPartly(key, [...records]);
    }
  }

  #add(found: Found, siblings: FolderNode[]): void {
    if (found.kind === "file") this.#addLoose(found.file);
    else this.#addFolder(found.folder, siblings);
  }

  #addFolder(place: FolderPlace, siblings: FolderNode[]): void {
    const inside = insideOf(place.native);
    const key = this.index?.keyOf(inside);
    if (key !== undefined) this.#keys.add(key);
    const known = this.#known(key);
    const node = new FolderNode(place, key);
    siblings.push(node);
    const filesBefore = known.length === 0 ? undefined : known.reduce((sum, { rows }) => sum + rows, 0);
    // Listed and done at once where little is to be read; very many files are a matter for several threads.
    const isAtOnce = filesBefore !== undefined && filesBefore <= JOB_FILES_MAX;
    const job: FolderJob = {
      kind: "folder",
      key: key ?? "",
      known: isAtOnce ? bytesOf(known) : [],
      nowMs: this.#nowMs(),
      folder: place,
      filesMax: isAtOnce ? JOB_FILES_MAX : 0,
    };
    this.#work.addFolder({
      job,
      filesBefore,
      done: (answer: FolderAnswer | UnlistedAnswer) => this.#takeFolder(node, job.known, answer),
    });
  }

  #takeFolder(
    node: FolderNode,
    known: readonly Uint8Array<ArrayBuffer>[],
    answer: FolderAnswer | UnlistedAnswer,
  ): void {
    const { walk, progress } = this.task;
    if (answer.kind === "unlisted") return walk.unlisted(node.place, answer.reason);
    for (const skipped of answer.skipped) this.#skipped.push(skipped);
    progress.found(answer.fileCount);
    if (answer.files !== undefined) this.#takeOnlyPart(node, known, answer.files);
    else if (answer.names !== undefined) this.#addParts(node, answer.names.split("\0"));
    else if (node.key !== undefined) this.index?.update(node.key, [], 0, this.task.scope.holds);
    for (const name of answer.folders.toReversed()) this.#addFolder(folderIn(node.place, name), node.folders);
    node.folders.reverse();
    for (const name of answer.links) {
      const found = walk.follow(node.place, name);
      if (found !== undefined) this.#add(found, node.folders);
    }
  }

  /** The files of a folder that were hashed together with the listing. */
  #takeOnlyPart(node: FolderNode, known: readonly Uint8Array<ArrayBuffer>[], answer: FilesAnswer): void {
    const inside = insideOf(node.place.native);
    const job = { kind: "files", key: node.key ?? "", known, nowMs: this.#nowMs(), inside, part: 0 } as const;
    const progress = this.#startFolder(node.key, 1);
    const task = this.#filesTask({ ...job, names: "", takesLarge: false }, 1, node, progress);
    this.#work.finishFiles(task, answer);
  }

  /** The files of a folder, as jobs for when all folders are listed. */
  #addParts(node: FolderNode, names: readonly string[]): void {
    const inside = insideOf(node.place.native);
    const progress = this.#startFolder(node.key, Math.ceil(names.length / JOB_FILES_MAX));
    for (let part = progress.jobsLeft - 1; part >= 0; part--) {
      const members = names.slice(part * JOB_FILES_MAX, (part + 1) * JOB_FILES_MAX);
      const known = bytesOf(this.#known(node.key, members));
      const job = { kind: "files", key: node.key ?? "", known, nowMs: this.#nowMs(), inside, part } as const;
      const task = { ...job, names: members.join("\0"), takesLarge: false };
      this.#work.addFiles(this.#filesTask(task, members.length, node, progress));
    }
  }

  #startFolder(key: string | undefined, jobs: number): FolderProgress {
    const progress: FolderProgress = { key, jobsLeft: jobs, hits: 0, records: new Set() };
    this.#unfinished.add(progress);
    return progress;
  }

  #filesTask(job: FilesJob, files: number, node: FolderNode, progress: FolderProgress): FilesTask {
    return {
      job,
      files,
      partly: (record) => {
        progress.records.add(record);
        this.#saveWhenDue();
      },
      done: ({ record, hits }) => {
        node.rows[job.part] = this.#takeRows(node.place, record);
        this.#takeRecord(record, hits, progress);
      },
    };
  }

  /** A file by itself. The index adds it to what it knows of the folder. */
  #addLoose({ path, native }: FoundFile): void {
    const { inside, name } = splitNative(native);
    const key = this.index?.keyOf(inside);
    if (key !== undefined) this.#keys.add(key);
    const known = bytesOf(this.#known(key, [name]));
    const job = { kind: "files", key: key ?? "", known, nowMs: this.#nowMs(), inside, part: 0 } as const;
    const done = ({ record, hits }: DoneFiles) => {
      this.#takeLooseRow(record, path, inside);
      if (key !== undefined && hits === 0) this.index?.addPartly(key, [record]);
      this.#saveWhenDue();
    };
    this.task.progress.found(1);
    this.#work.addFiles({
      job: { ...job, names: name, takesLarge: false },
      files: 1,
      partly: () => undefined,
      done,
    });
  }

  /** The rows that are entries; the others are skipped. */
  #takeRows(place: FolderPlace, record: HashRecord): RecordedRows[] {
    const prefix = prefixOf(place.path);
    this.task.progress.filesDone(record.rows);
    const secret = this.#secretRows(record, insideOf(place.native));
    if (secret.size === 0 && record.hashedRows === record.rows) return [{ prefix, record, from: 0, to: record.rows }];
    const names = record.names();
    const runs: RecordedRows[] = [];
    let from = 0;
    for (let row = 0; row <= record.rows; row++) {
      const reason = row < record.rows ? this.#reasonToSkip(record, row, secret.has(row)) : undefined;
      if (reason === undefined && row < record.rows) continue;
      if (row > from) runs.push({ prefix, record, from, to: row });
      if (reason !== undefined) this.#skipped.push({ path: prefix + (names[row] ?? ""), reason });
      from = row + 1;
    }
    return runs;
  }

  /** A hard link to the vault, or another spelling of its name, is the same file. */
  #secretRows(record: HashRecord, inside: string): ReadonlySet<number> {
    if (this.#protect.length === 0) return NO_ROWS;
    const isIt = (file: FileStat, row: number) =>
      record.device(row) === file.device || this.#isOn(file.device, inside + record.name(row));
    return new Set(this.#protect.flatMap((file) => record.rowsOf(file.inode).filter((row) => isIt(file, row))));
  }

  /** What the index says of a device may be out of date; what cannot be looked at may be it. */
  #isOn(device: bigint, native: string): boolean {
    try {
      return (this.#tree.lstat(native)?.device ?? device) === device;
    } catch {
      return true;
    }
  }

  #reasonToSkip(record: HashRecord, row: number, isSecret: boolean): SkipReason | undefined {
    if (!record.isHashed(row)) return record.failure(row) ?? "changed";
    return isSecret ? "protected" : undefined;
  }

  #takeLooseRow(record: HashRecord, path: RelativePath, inside: string): void {
    this.task.progress.filesDone(record.rows);
    const reason = this.#reasonToSkip(record, 0, this.#secretRows(record, inside).has(0));
    if (reason === undefined) this.#loose.push(record.entry(0, path));
    else this.#skipped.push({ path, reason });
  }

  #takeRecord(record: HashRecord, hits: number, folder: FolderProgress): void {
    folder.hits += hits;
    folder.records.add(record);
    if (--folder.jobsLeft === 0) {
      this.#unfinished.delete(folder);
      if (folder.key !== undefined)
        this.index?.update(folder.key, [...folder.records], folder.hits, this.task.scope.holds);
    }
    this.#saveWhenDue();
  }

  /** A process killed in a long scan has not worked for nothing. */
  #saveWhenDue(): void {
    if (this.index?.isSaveDue() !== true) return this.index?.saveMuch();
    this.keepUnfinished();
    this.index.save();
  }

  #known(key: string | undefined, names?: readonly string[]): readonly HashRecord[] {
    return key === undefined || this.task.rehash === true ? [] : (this.index?.known(key, names) ?? []);
  }

  #nowMs(): number {
    return Math.floor(this.#clock.now());
  }

  /** As they were recorded; in a Map of their own when symlinks brought in what has to be put in its place. */
  async #collect(): Promise<ReadonlyMap<RelativePath, ManifestEntry>> {
    const turn = new Turn(this.task.signal);
    const runs: RecordedRows[] = [];
    const order = new RowOrder();
    for (const run of inOrder(this.#roots)) {
      runs.push(run);
      order.add(run);
      if (turn.due()) await turn.pause();
    }
    if (this.#loose.length === 0 && order.isRight) return new RecordedEntries(runs);
    const collector = new EntryCollector();
    for (const run of runs) {
      for (const entry of entriesOf(run)) collector.add(entry);
      if (turn.due()) await turn.pause();
    }
    for (const entry of this.#loose) collector.add(entry);
    return collector.entries();
  }
}

function bytesOf(records: readonly HashRecord[]): Uint8Array<ArrayBuffer>[] {
  return records.map(({ bytes }) => bytes);
}
