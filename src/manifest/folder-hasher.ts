import { sortedByCodePoint } from "../core/code-point.ts";
import { type NewHasher, sha256Hex } from "../core/hash.ts";
import type { FileStat, FolderGlances, QuickStat, TreeFile, TreeReader } from "../platform/contract.ts";
import { FolderLister, insideOf, skipReasonOf } from "./folder-lister.ts";
import {
  type FilesAnswer,
  type FilesJob,
  type FolderAnswer,
  type FolderJob,
  type HashAnswer,
  type HashJob,
  type HashTerms,
  type UnlistedAnswer,
} from "./hash-job.ts";
import { HashRecord, isSameTime, type KnownStats } from "./hash-record.ts";
import { type KnownRow, KnownRows } from "./known-rows.ts";
import type { SkipReason } from "./manifest.ts";
import type { Turn } from "../threads/turn.ts";

/** Bytes. Files below this size are read in one call; larger ones in pieces of it. */
const BUFFER_BYTES = 1_048_576;
/** Opening the folder first pays from so many files on. */
const GLANCES_FROM = 8;
/** A small file that changes while it is read is often a save that is over by now. */
const ATTEMPTS = 2;

interface Hashed {
  /** Of the file while it was open; the same before and after its bytes were read. */
  readonly stat: FileStat;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** The bytes of a file that was too large to be read in one call. */
type LargeBytes = number;

/** Does jobs one after another: lists folders, looks at each file, and reads those of which no known hash can be trusted. */
export class FolderHasher {
  readonly #tree: TreeReader;
  readonly #newHasher: NewHasher;
  readonly #onBytes: (count: number) => void;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #lister: { readonly scan: number; readonly lister: FolderLister } | undefined;

  /** @param onBytes hears of bytes read, as they are */
  constructor(tree: TreeReader, newHasher: NewHasher, onBytes: (count: number) => void) {
    this.#tree = tree;
    this.#newHasher = newHasher;
    this.#onBytes = onBytes;
  }

  /** Gives the event loop its turn. @throws SyncError `aborted` */
  run(job: HashJob, terms: HashTerms, turn: Turn): Promise<HashAnswer> {
    return job.kind === "files" ? this.#runFiles(job, turn) : this.#runFolder(job, this.#listerFor(terms), turn);
  }

  async #runFolder(job: FolderJob, lister: FolderLister, turn: Turn): Promise<FolderAnswer | UnlistedAnswer> {
    if (turn.due()) await turn.pause();
    const inside = insideOf(job.folder.native);
    const record = soleRecord(job.known, 0);
    const asKnown = record && (await this.#isAsKnown(record, job, lister, turn));
    if (record !== undefined && asKnown === true)
      return { kind: "folder", folders: [], links: [], skipped: [], ...unchanged(record.rows) };
    const listing = lister.list(job.folder);
    if (typeof listing === "string") return { kind: "unlisted", reason: listing };
    const { files, fileNames: names, folders, links, skipped } = listing;
    const listed = { kind: "folder", folders: inPathOrder(folders), links, skipped, fileCount: files.length } as const;
    if (files.length === 0) return { ...listed, files: undefined, names: undefined };
    const mayBeUnchanged = asKnown === undefined && record?.joinedNames() === names;
    if (mayBeUnchanged && (await this.#isAllTrusted(record, files, job.nowMs, inside, turn)))
      return { ...listed, ...unchanged(files.length) };
    if (files.length > job.filesMax) return { ...listed, files: undefined, names };
    const { key, known, nowMs } = job;
    const filesJob: FilesJob = { kind: "files", key, known, nowMs, inside, part: 0, names, takesLarge: false };
    return { ...listed, files: await this.#hashNames(filesJob, files, turn), names: undefined };
  }

  async #runFiles(job: FilesJob, turn: Turn): Promise<FilesAnswer> {
    const names = job.names.split("\0");
    const record = soleRecord(job.known, job.part);
    if (record?.joinedNames() === job.names && (await this.#isAllTrusted(record, names, job.nowMs, job.inside, turn)))
      return { kind: "files", record: undefined, hits: names.length };
    return await this.#hashNames(job, names, turn);
  }

  async #hashNames(job: FilesJob, names: readonly string[], turn: Turn): Promise<FilesAnswer> {
    const record = HashRecord.create(job.key, job.names, names.length, job.part);
    const known = job.known.length === 0 ? undefined : new KnownRows(job.known);
    let hits = 0;
    for (let row = 0; row < names.length; row++) {
      const name = names[row] ?? "";
      const native = job.inside + name;
      const found = known?.find(name);
      if (found !== undefined && this.#isTrusted(found, job.inside, name, job.nowMs)) {
        record.copyRow(row, found.record, found.row);
        hits++;
      } else {
        // Without a single await for a small file: one would cost as much as the file.
        const outcome = job.takesLarge ? await this.#hashLarge(native, turn) : this.#hashSmall(native);
        if (typeof outcome === "string") record.setFailed(row, outcome);
        else if (typeof outcome === "number") record.setLarge(row, outcome);
        else record.setHashed(row, outcome.stat, outcome.sha256, job.nowMs);
      }
      if (turn.due()) await turn.pause();
    }
    return { kind: "files", record: record.bytes, hits };
  }

  /**
   * True when there are only the files of the record in a folder, all as they were; false when one of them is not. That
   * is told by their names and stats alone: what each name is need not be listed. undefined when it cannot be told so.
   */
  async #isAsKnown(
    record: HashRecord,
    { folder, nowMs }: FolderJob,
    lister: FolderLister,
    turn: Turn,
  ): Promise<boolean | undefined> {
    const inside = insideOf(folder.native);
    const glances = this.#glances(record, inside);
    if (glances === undefined) return undefined;
    try {
      const plain = lister.plainNames(folder, glances.names());
      if (plain?.joined !== record.joinedNames()) return undefined;
      return await this.#isEachSame(record.stats, glances, plain.names, nowMs, inside, turn);
    } finally {
      glances.close();
    }
  }

  /** True when nothing that a record knows has changed: the usual case, and the fast one. */
  async #isAllTrusted(
    record: HashRecord,
    names: readonly string[],
    nowMs: number,
    inside: string,
    turn: Turn,
  ): Promise<boolean> {
    const glances = this.#glances(record, inside);
    try {
      return await this.#isEachSame(record.stats, glances, names, nowMs, inside, turn);
    } finally {
      glances?.close();
    }
  }

  async #isEachSame(
    known: KnownStats,
    glances: FolderGlances | undefined,
    names: readonly string[],
    nowMs: number,
    inside: string,
    turn: Turn,
  ): Promise<boolean> {
    for (let row = 0; row < names.length; row++) {
      const name = names[row] ?? "";
      const stat = glances === undefined ? this.#glance(inside + name) : glances.next();
      if (!this.#isSame(known, row, stat, inside, name, nowMs)) return false;
      if (turn.due()) await turn.pause();
    }
    return true;
  }

  #glances(record: HashRecord, inside: string): FolderGlances | undefined {
    return record.rows < GLANCES_FROM ? undefined : this.#tree.glances?.(inside, record.nameBytes());
  }

  #listerFor({ scan, rules }: HashTerms): FolderLister {
    if (this.#lister?.scan !== scan) this.#lister = { scan, lister: new FolderLister(this.#tree, rules) };
    return this.#lister.lister;
  }

  /** True when the file is as it was when its known hash was made. */
  #isTrusted({ record, row }: KnownRow, inside: string, name: string, nowMs: number): boolean {
    return this.#isSame(record.stats, row, this.#glance(inside + name), inside, name, nowMs);
  }

  #isSame(
    known: KnownStats,
    row: number,
    stat: QuickStat | undefined,
    inside: string,
    name: string,
    nowMs: number,
  ): boolean {
    if (stat === undefined || !known.isTrusted(row, stat, nowMs)) return false;
    return Number.isSafeInteger(stat.ino) || this.#inode(inside + name) === known.inode[row];
  }

  /** undefined when it cannot be looked at: opening it will tell why. */
  #glance(native: string): QuickStat | undefined {
    try {
      return this.#tree.glance(native);
    } catch {
      return undefined;
    }
  }

  #inode(native: string): bigint | undefined {
    try {
      return this.#tree.lstat(native)?.inode;
    } catch {
      return undefined;
    }
  }

  #hashSmall(native: string): Hashed | SkipReason | LargeBytes {
    let outcome: Hashed | SkipReason | LargeBytes = "changed";
    for (let attempt = 0; attempt < ATTEMPTS && outcome === "changed"; attempt++) outcome = this.#attemptSmall(native);
    return outcome;
  }

  #attemptSmall(native: string): Hashed | SkipReason | LargeBytes {
    let file: TreeFile | undefined;
    try {
      file = this.#tree.open(native);
      const before = file.stat();
      if (before.kind !== "file") return "not_a_file";
      if (before.size >= this.#buffer.byteLength) return before.size;
      const total = this.#fill(file, before.size);
      this.#onBytes(total);
      if (!isUnchanged(before, file.glance(), total)) return "changed";
      return { stat: before, sha256: sha256Hex(this.#newHasher, this.#buffer.subarray(0, total)) };
    } catch (error) {
      return skipReasonOf(error);
    } finally {
      file?.close();
    }
  }

  /**
   * Reads a file expected to be `size` bytes, which is less than the buffer; the bytes read. The first read asks for
   * more than there should be, so a file that has grown shows it; only a short read is followed by another.
   */
  #fill(file: TreeFile, size: number): number {
    let total = file.read(this.#buffer);
    while (total < size) {
      const count = file.read(this.#buffer.subarray(total));
      if (count === 0) break;
      total += count;
    }
    return total;
  }

  async #hashLarge(native: string, turn: Turn): Promise<Hashed | SkipReason> {
    let file: TreeFile | undefined;
    try {
      file = this.#tree.open(native);
      const before = file.stat();
      if (before.kind !== "file") return "not_a_file";
      const hasher = this.#newHasher();
      let total = 0;
      for (let count = file.read(this.#buffer); count > 0; count = file.read(this.#buffer)) {
        hasher.update(this.#buffer.subarray(0, count));
        this.#onBytes(count);
        total += count;
        if (total > before.size) return "changed";
        if (turn.due()) await turn.pause();
      }
      return isUnchanged(before, file.glance(), total) ? { stat: before, sha256: hasher.digestHex() } : "changed";
    } catch (error) {
      return skipReasonOf(error);
    } finally {
      file?.close();
    }
  }
}

/** Both stats are of one open file, so its identity needs no comparing. */
function isUnchanged(before: FileStat, after: QuickStat, bytesRead: number): boolean {
  return (
    bytesRead === before.size &&
    after.size === before.size &&
    isSameTime(after.mtimeMs, Number(before.mtimeNs) / 1e6) &&
    isSameTime(after.ctimeMs, Number(before.ctimeNs) / 1e6) &&
    after.ino === Number(before.inode)
  );
}

/** The one known record, when it is what would be made anew, with a hash in every row. */
function soleRecord(known: readonly Uint8Array<ArrayBuffer>[], part: number): HashRecord | undefined {
  const [bytes] = known;
  if (bytes === undefined || known.length > 1) return undefined;
  const record = new HashRecord(bytes);
  return record.part === part && record.hashedRows === record.rows ? record : undefined;
}

/** Of a folder whose known record holds. */
function unchanged(files: number): Pick<FolderAnswer, "fileCount" | "files" | "names"> {
  return { fileCount: files, files: { kind: "files", record: undefined, hits: files }, names: undefined };
}

/** Folders sort as the paths below them do: as if their names ended in `/`. */
function inPathOrder(folders: readonly string[]): string[] {
  return sortedByCodePoint(folders.map((name) => `${name}/`)).map((name) => name.slice(0, -1));
}
