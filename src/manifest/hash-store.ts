import { SyncError } from "../core/errors.ts";
import { type NewHasher, sha256Hex } from "../core/hash.ts";
import type { Database, Files, TreeReader } from "../platform/contract.ts";
import { HashIndex, type HashStore, type OpenHashIndex } from "./hash-index.ts";
import type { HashRecord } from "./hash-record.ts";

/** Under `cache/cloud`, which no manifest holds. */
const FILE_NAME = "hash-index.sqlite";
/** "cvhi": tells our database from another application's. */
const APPLICATION_ID = 0x63766869;
/** Of the table and of the records in it. */
const FORMAT = 2;

/** Records are stored in blobs of about this size: few enough to load at once, small enough to lose one. */
const BLOB_BYTES = 262_144;
/** Of an index that knows some 2,500 files, which are shared among threads. */
const LARGE_BYTES = 262_144;
/** The largest pages SQLite has: blobs are read and written in so few pieces. */
const PAGE_BYTES = 65_536;
/** Dead records may take up so much more than the live ones before all is written anew. */
const DEAD_BYTES_MAX = 4_194_304;

export interface HashStoreOptions {
  readonly files: Files;
  readonly tree: TreeReader;
  readonly newHasher: NewHasher;
  readonly openDatabase: (path: string) => Database;
  /** Native path of the workspace. */
  readonly root: string;
}

/**
 * The index of a workspace in SQLite. A database that is damaged or not ours is removed and made anew; one that
 * another process is using, or that cannot be written here, is done without.
 */
export function openHashIndex(options: HashStoreOptions): OpenHashIndex {
  const { files, tree, root } = options;
  return async (onLarge = () => undefined) => {
    const folder = files.join(root, "cache", "cloud");
    const path = files.join(folder, FILE_NAME);
    try {
      const realRoot = tree.realPath(root);
      if (realRoot === undefined) return undefined;
      await files.makeFolder(folder);
      const store = (await openStore(options, path, onLarge)) ?? (await remade(options, path));
      return store && new HashIndex(store, realRoot.endsWith("/") ? realRoot : `${realRoot}/`);
    } catch (error) {
      if (error instanceof SyncError) return undefined;
      throw error;
    }
  };
}

/** undefined when what is there is no index of ours. @throws SyncError when it cannot be used now */
async function openStore(options: HashStoreOptions, path: string, onLarge: () => void): Promise<HashStore | undefined> {
  const { kind, size } = (await options.files.lstat(path)) ?? { kind: "file", size: 0 };
  // A symlink would have us write where it leads.
  if (kind !== "file") return undefined;
  if (size >= LARGE_BYTES) onLarge();
  try {
    return new SqliteHashStore(options.openDatabase(path), options.newHasher);
  } catch (error) {
    if (error instanceof SyncError && error.code === "file_unreadable") return undefined;
    throw error;
  }
}

async function remade(options: HashStoreOptions, path: string): Promise<HashStore | undefined> {
  for (const end of ["", "-journal", "-wal", "-shm"]) await options.files.remove(path + end);
  return await openStore(options, path, () => undefined);
}

/** Blobs of records, added at the end: what is written later counts. */
class SqliteHashStore implements HashStore {
  readonly #database: Database;
  readonly #newHasher: NewHasher;
  readonly #blobs: Uint8Array<ArrayBuffer>[];
  /** Changes when another process has written. */
  #version: unknown;
  #storedBytes: number;

  /** @throws SyncError `file_unreadable` when it is not an index, `lock_busy` */
  constructor(database: Database, newHasher: NewHasher) {
    this.#database = database;
    this.#newHasher = newHasher;
    try {
      this.#prepare();
      this.#version = this.#pragma("data_version");
      const rows = database.rows("SELECT data, sha256 FROM blobs ORDER BY id");
      this.#blobs = rows.map(({ data, sha256 }) => this.#checked(data, sha256)).filter((blob) => blob !== undefined);
    } catch (error) {
      database.close();
      throw error;
    }
    this.#storedBytes = this.#blobs.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  load(): Iterable<Uint8Array<ArrayBuffer>> {
    return this.#blobs.splice(0);
  }

  save(changed: readonly HashRecord[], all: () => Iterable<HashRecord>, allBytes: number): void {
    const changedBytes = changed.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
    const wasteful = this.#storedBytes + changedBytes > 2 * allBytes + DEAD_BYTES_MAX;
    try {
      this.#database.execute("BEGIN IMMEDIATE");
      try {
        // What another process has added meanwhile is not ours to throw away.
        const compact = wasteful && this.#pragma("data_version") === this.#version;
        if (compact) this.#database.execute("DELETE FROM blobs");
        for (const blob of joined(compact ? all() : changed)) this.#insert(blob);
        this.#database.execute("COMMIT");
        this.#storedBytes = compact ? allBytes : this.#storedBytes + changedBytes;
      } catch (error) {
        this.#database.execute("ROLLBACK");
        throw error;
      }
    } catch (error) {
      // Busy, full, or gone: the next scan does again what this one did.
      if (!(error instanceof SyncError)) throw error;
    }
  }

  close(): void {
    this.#database.close();
  }

  #prepare(): void {
    // Every blob carries its hash, so a power cut that tears the file costs time only: no write waits for the disk.
    this.#database.execute("PRAGMA busy_timeout = 0; PRAGMA synchronous = OFF; PRAGMA trusted_schema = OFF");
    const id = this.#pragma("application_id");
    const [{ tables } = { tables: 0 }] = this.#database.rows("SELECT count(*) AS tables FROM sqlite_schema");
    if (id === 0 && tables === 0) {
      this.#database.execute(
        `PRAGMA page_size = ${PAGE_BYTES}; BEGIN IMMEDIATE; PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT};
        CREATE TABLE blobs (id INTEGER PRIMARY KEY, sha256 TEXT NOT NULL, data BLOB NOT NULL) STRICT; COMMIT`,
      );
    } else if (id !== APPLICATION_ID || this.#pragma("user_version") !== FORMAT) {
      throw new SyncError("file_unreadable", "the hash index has another format");
    }
  }

  #pragma(name: "application_id" | "user_version" | "data_version"): unknown {
    return this.#database.rows(`PRAGMA ${name}`)[0]?.[name];
  }

  /** Aligned for a record's columns. undefined when a byte of it is not what was written. */
  #checked(data: unknown, sha256: unknown): Uint8Array<ArrayBuffer> | undefined {
    if (!(data instanceof Uint8Array) || this.#sha256(data) !== sha256) return undefined;
    const { buffer } = data;
    const usable = buffer instanceof ArrayBuffer && data.byteOffset % 8 === 0;
    return usable ? new Uint8Array(buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
  }

  #insert(data: Uint8Array<ArrayBuffer>): void {
    this.#database.run("INSERT INTO blobs (sha256, data) VALUES (?, ?)", this.#sha256(data), data);
  }

  #sha256(data: Uint8Array): string {
    return sha256Hex(this.#newHasher, data);
  }
}

function* joined(records: Iterable<HashRecord>): Generator<Uint8Array<ArrayBuffer>> {
  let parts: HashRecord[] = [];
  let length = 0;
  for (const record of records) {
    parts.push(record);
    length += record.bytes.byteLength;
    if (length < BLOB_BYTES) continue;
    yield inOne(parts, length);
    parts = [];
    length = 0;
  }
  if (length > 0) yield inOne(parts, length);
}

function inOne(records: readonly HashRecord[], length: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const { bytes } of records) {
    whole.set(bytes, at);
    at += bytes.byteLength;
  }
  return whole;
}
