import { SyncError } from "../core/errors.ts";
import type { NewHasher } from "../core/hash.ts";
import type { FileStat, TreeFile, TreeReader } from "../platform/contract.ts";
import type { HashAnswer, HashJob } from "./hash-job.ts";
import { HashRecord } from "./hash-record.ts";
import { KnownRows } from "./known-rows.ts";
import type { SkipReason } from "./manifest.ts";
import type { Turn } from "./turn.ts";

/** Bytes. Files below this size are read in one call; larger ones in pieces of it. */
const BUFFER_BYTES = 1_048_576;
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

/** Why an error of the file system keeps a file or folder out of the manifest. Other errors are thrown on. */
export function skipReasonOf(error: unknown): SkipReason {
  if (error instanceof SyncError && error.code === "file_missing") return "vanished";
  if (error instanceof SyncError && error.code === "file_unreadable") return "unreadable";
  throw error;
}

/** Does jobs one after another: looks at each file, and reads those of which no known hash can be trusted. */
export class FolderHasher {
  readonly #tree: TreeReader;
  readonly #newHasher: NewHasher;
  readonly #onBytes: (count: number) => void;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);

  /** @param onBytes hears of bytes read, as they are */
  constructor(tree: TreeReader, newHasher: NewHasher, onBytes: (count: number) => void) {
    this.#tree = tree;
    this.#newHasher = newHasher;
    this.#onBytes = onBytes;
  }

  /** Gives the event loop its turn. @throws SyncError `aborted` */
  async run(job: HashJob, turn: Turn): Promise<HashAnswer> {
    const names = job.names.split("\0");
    if (await this.#isAsKnown(job, names, turn)) return { record: undefined, hits: names.length };
    const record = HashRecord.create(job.key, job.names, names.length, job.part);
    const known = new KnownRows(job.known);
    let hits = 0;
    for (const [row, name] of names.entries()) {
      const native = job.folder + name;
      const found = known.find(name);
      if (found !== undefined && this.#isTrusted(found.record, found.row, native, job.nowNs)) {
        record.copyRow(row, found.record, found.row);
        hits++;
      } else {
        // Without a single await for a small file: one would cost as much as the file.
        const outcome = job.takesLarge ? await this.#hashLarge(native, turn) : this.#hashSmall(native);
        if (typeof outcome === "string") record.setFailed(row, outcome);
        else if (typeof outcome === "number") record.setLarge(row, outcome);
        else record.setHashed(row, outcome.stat, outcome.sha256, job.nowNs);
      }
      if (turn.due()) await turn.pause();
    }
    return { record: record.bytes, hits };
  }

  /** True when one known record is about just these files and nothing has changed: the usual case, and the fast one. */
  async #isAsKnown(
    { known, part, names: joined, folder, nowNs }: HashJob,
    names: string[],
    turn: Turn,
  ): Promise<boolean> {
    const [bytes] = known;
    if (bytes === undefined || known.length > 1) return false;
    const record = new HashRecord(bytes);
    if (record.part !== part || record.hashedRows !== record.rows || record.joinedNames() !== joined) return false;
    for (let row = 0; row < names.length; row++) {
      if (!this.#isTrusted(record, row, `${folder}${names[row]}`, nowNs)) return false;
      if (turn.due()) await turn.pause();
    }
    return true;
  }

  /** True when the file is as it was when its known hash was made. */
  #isTrusted(record: HashRecord, row: number, native: string, nowNs: bigint): boolean {
    if (!record.isHashed(row)) return false;
    try {
      const stat = this.#tree.lstat(native);
      return stat !== undefined && record.isTrusted(row, stat, nowNs);
    } catch {
      // Opening it will tell why.
      return false;
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
      if (!isUnchanged(before, file.stat(), total)) return "changed";
      const hasher = this.#newHasher();
      hasher.update(this.#buffer.subarray(0, total));
      return { stat: before, sha256: hasher.digestHex() };
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
      return isUnchanged(before, file.stat(), total) ? { stat: before, sha256: hasher.digestHex() } : "changed";
    } catch (error) {
      return skipReasonOf(error);
    } finally {
      file?.close();
    }
  }
}

/** Both stats are of one open file, so its identity needs no comparing. */
function isUnchanged(before: FileStat, after: FileStat, bytesRead: number): boolean {
  return (
    bytesRead === before.size &&
    after.size === before.size &&
    after.mtimeNs === before.mtimeNs &&
    after.ctimeNs === before.ctimeNs &&
    after.inode === before.inode
  );
}
