/** The part of the platform's contract that is about the files of a scan. Imported through contract.ts. */

export type FileKind = "file" | "directory" | "symlink" | "other";

export interface FileStat {
  readonly kind: FileKind;
  /** Bytes. */
  readonly size: number;
  /** Nanoseconds since the epoch. */
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly inode: bigint;
  readonly device: bigint;
  /** Permission bits, e.g. 0o644. */
  readonly mode: number;
}

/**
 * A tree read fast, for scans. Synchronous: one asynchronous call a file costs ten times what hashing a small file
 * does. The caller gives the event loop its turn between batches.
 */
export interface TreeReader {
  /** What is in one folder. @throws `file_missing`, `file_unreadable` */
  list(folder: string): TreeListing;
  /** undefined when nothing is there. Does not follow. */
  lstat(path: string): FileStat | undefined;
  /** As `lstat`, quick to get: enough to tell that a file is as it was. */
  glance(path: string): QuickStat | undefined;
  /**
   * Quicker than one `glance` after another; absent where the platform has nothing quicker.
   * @param names of what is in the folder, UTF-8, separated by NUL
   * @returns undefined when the folder cannot be opened
   */
  readonly glances?: ((folder: string, names: Uint8Array) => FolderGlances | undefined) | undefined;
  /** undefined when nothing is there. Follows symlinks. */
  stat(path: string): FileStat | undefined;
  /** Every symlink followed; undefined when it does not exist or is a loop. */
  realPath(path: string): string | undefined;
  /** Opens for reading; `O_NOFOLLOW` unless told to follow. @throws `file_missing`, `file_unreadable` */
  open(path: string, options?: { readonly followSymlink?: boolean }): TreeFile;
}

/** Glances at files of one folder, one after another. */
export interface FolderGlances {
  /** Of all that is in the folder now, in any order; none when it cannot be read. */
  names(): readonly string[];
  /** Of the next name; undefined when it cannot be told. The same object every time, filled anew. */
  next(): QuickStat | undefined;
  close(): void;
}

/** What a runtime has of a stat without converting anything. */
export interface QuickStat {
  isFile(): boolean;
  readonly size: number;
  /** Since the epoch, to less than half a microsecond. */
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  /** Inode; not exact beyond Number.MAX_SAFE_INTEGER. */
  readonly ino: number;
}

/** The names in a folder by what they are, as Unicode and in no order. */
export interface TreeListing {
  readonly files: string[];
  readonly folders: string[];
  readonly symlinks: string[];
  /** Pipes, sockets, devices. */
  readonly others: string[];
  /** Of whatever kind, lossy (U+FFFD): the bytes are not valid UTF-8, and no manifest can name them. */
  readonly invalid: string[];
}

export interface TreeFile {
  /** Of the open file. */
  stat(): FileStat;
  /** The same, quick to get. */
  glance(): QuickStat;
  /** Fills `into` from `offset`, or from where the last read without one ended; bytes read, 0 at the end. */
  read(into: Uint8Array, offset?: number): number;
  close(): void;
}
