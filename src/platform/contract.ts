/**
 * What the product asks of a runtime. Every room may import these types; only platform/{node,bun,deno} may import a
 * runtime's own modules, and main.ts chooses one. Paths here are native and absolute unless said otherwise.
 *
 * Failures of the file system arrive as SyncError: `file_missing`, `file_unreadable` (permission, I/O, not a regular
 * file), `disk_full` (ENOSPC, EDQUOT), `write_failed`; the system's own error is the cause.
 */
import type { NewHasher } from "../core/hash.ts";
import type { Outbound } from "./outbound.ts";
import type { Terminal } from "./terminal.ts";
import type { FileStat, TreeFile, TreeReader } from "./tree.ts";

export type { Outbound, PinnedPost, PostOutcome } from "./outbound.ts";
export type { Prompts, Terminal, TextQuestion } from "./terminal.ts";
export type { FileKind, FileStat, FolderGlances, QuickStat, TreeFile, TreeListing, TreeReader } from "./tree.ts";

export interface Platform {
  readonly runtime: "bun" | "deno";
  readonly files: Files;
  readonly tree: TreeReader;
  /** Opens the folder at a native path for writing below it. @throws SyncError `file_missing`, `file_unreadable` */
  openTreeWriter(root: string): TreeWriter;
  readonly compression: Compression;
  /** Native SHA-256. */
  readonly newHasher: NewHasher;
  /** Threads that run src/worker.ts. */
  readonly threads: Threads;
  /**
   * Gives the memory of what is no longer needed back now, where a runtime can be asked to. Takes about as long as 10,000
   * lines of a list: for work that leaves much behind at once, which the runtime by itself lets pile up.
   */
  reclaimMemory(): void;
  /** SQLite in one file, made when missing. @throws SyncError `lock_busy`, `file_unreadable`, like all that it returns */
  readonly openDatabase: (path: string) => Database;
  readonly outbound: Outbound;
  readonly openLogFile: (path: string, options: LogFileOptions) => LogFile;
  /** This machine and process for people, e.g. `studio-pc, process 4711`. */
  machineName(): string;
  /** The value of an environment variable; undefined when unset or empty. */
  env(name: string): string | undefined;
  readonly terminal: Terminal;
  /** Resolves at the first signal that `onTermination` hears. */
  terminated(): Promise<void>;
  /**
   * Calls `stop` at SIGTERM, SIGINT and, unless it is ignored (nohup), SIGHUP, until it has accepted one; the next one
   * ends the process at once, but for SIGHUP. `stop` returns false for "not now". Returns how to stop listening.
   */
  onTermination(stop: (signal: TerminationSignal) => boolean): () => void;
  /** Serves HTTP until the returned server is stopped. @throws SyncError `port_in_use`, `server_host_refused` */
  serve(options: ServeOptions): Promise<RunningServer>;
}

/** SIGHUP: the terminal was closed. */
export type TerminationSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

export interface Files {
  /** `parts` joined and normalised with the system's separator. The one way native paths are built. */
  join(...parts: readonly string[]): string;
  dirname(path: string): string;
  basename(path: string): string;
  /** An absolute path from one that may be relative to `from`, by default the process's folder. */
  resolve(path: string, from?: string): string;
  /** The path with every symlink followed; undefined when it does not exist. */
  realPath(path: string): Promise<string | undefined>;

  /** undefined when nothing is there. Follows symlinks. */
  stat(path: string): Promise<FileStat | undefined>;
  /** undefined when nothing is there. Does not follow. */
  lstat(path: string): Promise<FileStat | undefined>;
  /** Names in a folder, in no order; undefined when there is no such folder. */
  list(path: string): Promise<string[] | undefined>;

  /** A whole file; undefined when there is none. @throws `file_unreadable` over `maxBytes` (a bound on memory) */
  readBytes(path: string, maxBytes?: number): Promise<Uint8Array | undefined>;
  /** @throws `file_missing`, `file_unreadable` (also for anything but a regular file) */
  openRead(path: string): Promise<ReadHandle>;

  /**
   * Replaces `path` by `bytes`: random temp name in the same folder (`.<name>.<random>.tmp`), written in full, fsync, rename, fsync of the
   * folder. A crash at any point leaves the old file or the new one, whole. Missing folders are made.
   */
  writeAtomic(path: string, bytes: Uint8Array, options?: WriteOptions): Promise<void>;
  /** The same as a stream of chunks: nothing is at `path` before `commit`. */
  createAtomic(path: string, options?: WriteOptions): Promise<AtomicWriter>;
  /** Opens `path` for appending, made when missing. */
  openAppend(path: string, options?: WriteOptions): Promise<AppendHandle>;
  makeFolder(path: string): Promise<void>;
  /** Removes a file or an empty folder; false when nothing was there. @throws `write_failed` */
  remove(path: string): Promise<boolean>;
  /** Removes an empty folder and nothing else; false when it is not empty, not a folder or not there. @throws `write_failed` */
  removeEmptyFolder(path: string): Promise<boolean>;
  /** Bytes that the file system of `path` still takes; undefined when it does not tell. */
  freeBytes(path: string): Promise<number | undefined>;
  /** A new empty folder, for this user alone, in `parent` or the system's temporary place. @throws SyncError `write_failed`, `disk_full` */
  makeTempFolder(prefix: string, parent?: string): Promise<string>;
  /** True when what is written at `path` stays in memory (tmpfs, ramfs) and reaches no disk but swap. */
  isMemoryBacked(path: string): Promise<boolean>;
  /** True when what is at `path`, a symlink itself included, belongs to this process's user; everything does on Windows. */
  isOwn(path: string): Promise<boolean>;
  /** Removes a folder and all below it. Never follows symlinks. */
  removeTree(path: string): Promise<void>;

  /**
   * Holds `path` against every other holder, in this process and others, until released. The system frees it when the
   * process dies, so no lock is ever stale. Leaves an empty file at `path`.
   * @throws SyncError `lock_busy` after `timeoutMs` (default 10,000), `aborted`
   */
  lock(path: string, options?: { readonly timeoutMs?: number; readonly signal?: AbortSignal }): Promise<FileLock>;
}

export interface WriteOptions {
  /** Permission bits of the new file, exactly (not masked by umask). Default 0o644. */
  readonly mode?: number;
  /** Set on the file before it takes its name. */
  readonly mtimeNs?: bigint;
}

export interface ReadHandle {
  /** Of the open file, not of whatever has its name now. */
  stat(): Promise<FileStat>;
  /** Bytes from `offset`; fewer than `length` only at the end of the file. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Fills `into` from `offset`; how many bytes, fewer only at the end of the file. */
  readInto(offset: number, into: Uint8Array): Promise<number>;
  close(): Promise<void>;
}

export interface AtomicWriter {
  write(chunk: Uint8Array): Promise<void>;
  /** Replaces bytes that were written at `offset`; the next `write` goes on at the end. */
  writeAt(offset: number, bytes: Uint8Array): Promise<void>;
  /** Drops everything from `length` on; the next `write` goes on there. */
  truncate(length: number): Promise<void>;
  /** fsync, rename, fsync of the folder. */
  commit(): Promise<void>;
  /** Drops what was written; nothing after `commit`. Safe to call twice. */
  abort(): Promise<void>;
}

export interface AppendHandle {
  /** In one write of the system, which comes back at once: lines of many writers do not mix. @throws SyncError `disk_full`, `write_failed` */
  append(bytes: Uint8Array): void;
  /** Everything appended is on the disk when this resolves. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** A log of whole lines that several processes may write: `path`, and what it was before as `path.1` (the latest) to `path.N`. */
export interface LogFile {
  /**
   * In one write of the system; in the hands of the system when this returns. The file is made anew when it is full or
   * gone. @throws SyncError `disk_full`, `write_failed`; the next call tries again
   */
  append(lines: Uint8Array): void;
  close(): void;
}

/** A file that would grow over `bytesMax` is kept as `path.1`; `filesKept` is N. */
export interface LogFileOptions {
  readonly bytesMax: number;
  readonly filesKept: number;
}

export interface FileLock {
  release(): void;
}

export interface Threads {
  /** How many make progress at once. */
  readonly cores: number;
  /** Starts one. It is not known to run before it has said something. */
  start<Sent, Received>(): Thread<Sent, Received>;
  /** Calls `run` later, unless the process has ended for want of other work. Returns how to call it off. */
  afterMs(ms: number, run: () => void): () => void;
}

export interface Thread<Sent, Received> {
  /** @param onLost called when it cannot start, fails or ends by itself */
  listen(onMessage: (message: Received) => void, onLost: (error: Error) => void): void;
  /** Plain data; it is copied. @param transfer buffers of the message that are handed over instead */
  post(message: Sent, transfer?: readonly ArrayBuffer[]): void;
  /** Whether the process waits for this thread. It does at first. */
  keepAlive(alive: boolean): void;
  close(): void;
}

/** A thread's line to the one that started it. */
export interface ThreadPort<Received, Sent> {
  listen(onMessage: (message: Received) => void): void;
  /** @param transfer buffers of the message that are handed over instead of copied */
  post(message: Sent, transfer?: readonly ArrayBuffer[]): void;
}

/** Synchronous: what it is used for takes less time than an await. */
export interface Database {
  /** Statements that return nothing, separated by `;`. */
  execute(sql: string): void;
  run(sql: string, ...values: readonly SqlValue[]): void;
  rows(sql: string, ...values: readonly SqlValue[]): readonly Readonly<Record<string, unknown>>[];
  close(): void;
}

export type SqlValue = string | number | Uint8Array<ArrayBuffer>;

/**
 * Puts files into one folder and those below it, and never anywhere else. Paths are relative with `/` and have passed
 * the caller's own checks. No symlink is followed on the way, and a folder that is swapped for a symlink between two
 * calls, or during one, does not lead outside: the system resolves each name in a folder that is held open. Where a
 * system offers no such call (all but Linux), the folder is looked at before and after each step instead, which leaves
 * a swap-and-swap-back within one step unseen.
 *
 * Every method throws SyncError `restore_conflict` when a folder on the way is a symlink or no folder, or was swapped.
 * Synchronous, as TreeReader and for its reason.
 */
export interface TreeWriter {
  /** What is at `path` itself; undefined when nothing is, or no folder for it. */
  lstat(path: string): FileStat | undefined;
  /** Makes a folder and those above it that are missing. @throws SyncError `disk_full`, `write_failed` */
  makeFolder(path: string): void;
  /** Opens a file for reading. @throws SyncError `file_missing`, `file_unreadable` */
  open(path: string): TreeFile;
  /**
   * A file that takes the name `path` at `commit`; missing folders are made. Until then it has no name at all where system
   * and runtime can do that (Linux, Bun): a process that is killed leaves nothing. Elsewhere, and where something has the
   * name, it goes by a temp name `.<name>.<16 hex>.tmp` beside it, which depends on `path` alone: a temp file that a killed
   * process left is replaced, so two writers must not write one path at a time. @throws SyncError `disk_full`, `write_failed`
   */
  create(path: string, options: NewFileOptions): NewFile;
  close(): void;
}

export interface NewFileOptions {
  /** Permission bits, whatever the process's umask; undefined for those of any new file, 0644 masked by it. */
  readonly mode: number | undefined;
  /** Seconds since the epoch. */
  readonly mtime: number;
}

export interface NewFile {
  /** @throws SyncError `disk_full`, `write_failed` */
  write(chunk: Uint8Array): void;
  /** What was written is on the disk when this resolves. @throws SyncError `disk_full`, `write_failed` */
  flush(): Promise<void>;
  /** Sets the time and takes the name, in place of what had it. @throws SyncError `disk_full`, `write_failed` */
  commit(): void;
  /** Drops what was written; nothing after `commit`. Safe to call twice; never throws. */
  abort(): void;
}

/** Raw Deflate (RFC 1951) and the CRC-32 of ZIP files, native. */
export interface Compression {
  /** How many of the asynchronous calls run at the same time. */
  readonly parallelism: number;
  /** Of `bytes` after data whose CRC is `seed` (default: nothing before). */
  crc32(bytes: Uint8Array, seed?: number): number;
  /** In this thread: for pieces so small that a way to another thread costs more than the work. */
  deflateNow(bytes: Uint8Array, options: DeflateOptions): Uint8Array;
  /** In another thread. `bytes` must not change meanwhile. */
  deflate(bytes: Uint8Array, options: DeflateOptions): Promise<Uint8Array>;
  /** The `size` bytes that a whole stream stands for; undefined when it is broken, stands for more or less, or is followed by anything. */
  inflateNow(bytes: Uint8Array, size: number): Uint8Array | undefined;
  /** For many small streams: together they take half the time. @param pieceBytesMax of each, packed and inflated */
  newInflateGroup(pieceBytesMax: number): InflateGroup;
  /** The same as `inflateNow` in another thread. */
  inflate(bytes: Uint8Array, size: number): Promise<Uint8Array | undefined>;
  /**
   * The same in chunks, never more than `size` bytes together; returns false at the end (or as soon as it is known)
   * where `inflate` would answer undefined. Throws what `source` throws.
   */
  inflateStream(
    source: AsyncIterable<Uint8Array>,
    compressedSize: number,
    size: number,
  ): AsyncGenerator<Uint8Array, boolean>;
}

/** Whole raw streams that are inflated in one call, in this thread. */
export interface InflateGroup {
  /** True when it is to be inflated before anything else is added. */
  readonly isFull: boolean;
  /** Copies `packed`. @param crc CRC-32 of the `size` bytes that it stands for */
  add(packed: Uint8Array, size: number, crc: number): void;
  /** What `inflateNow` answers for each, in order; for a wrong CRC that or undefined. The group is empty afterwards. */
  inflate(): readonly (Uint8Array | undefined)[];
}

export interface DeflateOptions {
  /** 1 fast … 9 small. */
  readonly level: number;
  /** What stands before `bytes` in the stream, its last 32 KiB. */
  readonly dictionary?: Uint8Array | undefined;
  /** Another piece follows: the stream is not ended, and stops at a whole byte. */
  readonly more: boolean;
}

export interface ServeOptions {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  readonly fetch: (request: Request, acceptSocket: AcceptSocket) => Response | Promise<Response>;
  /** A longer message of a WebSocket's far side ends the connection. */
  readonly socketMessageBytesMax: number;
}

/**
 * Makes a WebSocket of a request that asks for one. `fetch` must give the response back as it is; undefined means that
 * the request is no handshake. Who may connect is the caller's to check first.
 */
export type AcceptSocket = (
  request: Request,
  connect: (socket: ServerSocket) => SocketListener,
) => Response | undefined;

/** Our end of a WebSocket. Nothing here throws; after the end of the connection nothing has an effect. */
export interface ServerSocket {
  /** Text messages, in as few writes as the runtime can make of them. */
  send(messages: readonly string[]): void;
  /** Bytes that were sent and that the network has not taken yet. */
  bufferedBytes(): number;
  /** Ends the connection after what was sent. @param reason at most 123 bytes of UTF-8 */
  close(code: number, reason: string): void;
  /** Ends it at once. */
  terminate(): void;
}

export interface SocketListener {
  /** undefined for a binary message. */
  message(text: string | undefined): void;
  /** The connection has ended, whoever ended it. */
  closed(): void;
}

export interface RunningServer {
  readonly host: string;
  readonly port: number;
  /** Refuses new connections, waits for open requests up to `graceMs`, then closes them. */
  stop(graceMs: number): Promise<void>;
}
