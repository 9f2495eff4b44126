import { SyncError } from "../core/errors.ts";
import type { NewHasher } from "../core/hash.ts";
import type { RelativePath } from "../core/paths.ts";
import type { FileStat, TreeFile, TreeReader } from "../platform/contract.ts";
import type { SkipReason } from "./manifest.ts";
import { Turn } from "./turn.ts";

export interface FileToHash {
  readonly path: RelativePath;
  /** Native path; no symlink itself. */
  readonly native: string;
}

export interface HashedFile {
  /** Of the file while it was open; the same before and after its bytes were read. */
  readonly stat: FileStat;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** A file's hash, or why there is none. */
export type HashOutcome = HashedFile | SkipReason;

export interface HashSink {
  /** Called once a file, in any order; `index` is the file's place in the list. */
  done(index: number, outcome: HashOutcome): void;
  /** Bytes read since the last call. */
  bytes(count: number): void;
}

/**
 * Hashes every file of a list. Who does it is up to the caller of a scan: this thread, several, or an index that
 * remembers and asks another hasher for the rest. @throws SyncError `aborted`
 */
export type FileHasher = (files: readonly FileToHash[], sink: HashSink, signal?: AbortSignal) => Promise<void>;

/** Bytes. Files up to this size are read in one call; larger ones in pieces of it. */
const BUFFER_BYTES = 1_048_576;
/** A small file that changes while it is read is often a save that is over by now. */
const ATTEMPTS = 2;

/** Hashes in this thread, giving the event loop its turn. */
export function treeFileHasher(tree: TreeReader, newHasher: NewHasher): FileHasher {
  return async (files, sink, signal) => {
    const turn = new Turn(signal);
    const reader = new FileReader(tree, newHasher, new Uint8Array(BUFFER_BYTES), turn);
    for (const [index, file] of files.entries()) {
      sink.done(index, reader.hashSmall(file.native, sink) ?? (await reader.hashLarge(file.native, sink)));
      if (turn.due()) await turn.pause();
    }
  };
}

/** Why an error of the file system keeps a file or folder out of the manifest. Other errors are thrown on. */
export function skipReasonOf(error: unknown): SkipReason {
  if (error instanceof SyncError && error.code === "file_missing") return "vanished";
  if (error instanceof SyncError && error.code === "file_unreadable") return "unreadable";
  throw error;
}

class FileReader {
  constructor(
    private readonly tree: TreeReader,
    private readonly newHasher: NewHasher,
    private readonly buffer: Uint8Array,
    private readonly turn: Turn,
  ) {}

  /** Without a single await, which would cost as much as a small file. undefined when the file is too large. */
  hashSmall(native: string, sink: HashSink): HashOutcome | undefined {
    let outcome: HashOutcome | undefined = "changed";
    for (let attempt = 0; attempt < ATTEMPTS && outcome === "changed"; attempt++) {
      outcome = this.#attemptSmall(native, sink);
    }
    return outcome;
  }

  async hashLarge(native: string, sink: HashSink): Promise<HashOutcome> {
    let file: TreeFile | undefined;
    try {
      file = this.tree.open(native);
      const before = file.stat();
      if (before.kind !== "file") return "not_a_file";
      const hasher = this.newHasher();
      let total = 0;
      for (let count = file.read(this.buffer); count > 0; count = file.read(this.buffer)) {
        hasher.update(this.buffer.subarray(0, count));
        sink.bytes(count);
        total += count;
        if (total > before.size) return "changed";
        if (this.turn.due()) await this.turn.pause();
      }
      return isUnchanged(before, file.stat(), total) ? { stat: before, sha256: hasher.digestHex() } : "changed";
    } catch (error) {
      return skipReasonOf(error);
    } finally {
      file?.close();
    }
  }

  #attemptSmall(native: string, sink: HashSink): HashOutcome | undefined {
    let file: TreeFile | undefined;
    try {
      file = this.tree.open(native);
      const before = file.stat();
      if (before.kind !== "file") return "not_a_file";
      if (before.size >= this.buffer.byteLength) return undefined;
      const total = this.#fill(file, before.size);
      sink.bytes(total);
      if (!isUnchanged(before, file.stat(), total)) return "changed";
      const hasher = this.newHasher();
      hasher.update(this.buffer.subarray(0, total));
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
    let total = file.read(this.buffer);
    while (total < size) {
      const count = file.read(this.buffer.subarray(total));
      if (count === 0) break;
      total += count;
    }
    return total;
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
