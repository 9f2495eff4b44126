import { SyncError } from "../core/errors.ts";
import type { Database, Files } from "../platform/contract.ts";
import type { HookEnvelope, HookItem } from "./bus.ts";
import { HOOK_NAMES } from "./catalogue.ts";
import type { HookHistory } from "./history.ts";

/** Under `cache/cloud`, which no manifest holds: losing it costs readers the events between two servers. */
const FILE_NAME = "hook-history.sqlite";
/** "cvhh": tells our database from another application's. */
const APPLICATION_ID = 0x63766868;
const FORMAT = 1;
/** Events between two removals of those that the history no longer keeps. */
const TRIM_EVERY = 256;

export interface HistoryFileOptions {
  readonly files: Files;
  readonly openDatabase: (path: string) => Database;
  /** Native path of the workspace. */
  readonly root: string;
}

/**
 * The history in SQLite, so that readers resume after a restart. What is written survives a killed process; a power
 * failure may take the last events. A file that is damaged or not ours is made anew.
 */
export class HistoryFile {
  #appended = 0;

  private constructor(private readonly database: Database) {
    const [row] = database.rows("PRAGMA application_id");
    const [version] = database.rows("PRAGMA user_version");
    const [tables] = database.rows("SELECT count(*) AS count FROM sqlite_schema");
    const isNew = tables?.["count"] === 0;
    if (!isNew && (row?.["application_id"] !== APPLICATION_ID || version?.["user_version"] !== FORMAT)) {
      throw new SyncError("file_unreadable", "this is no history of hooks");
    }
    database.execute(`
      PRAGMA busy_timeout = 200;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = NORMAL;
      PRAGMA application_id = ${APPLICATION_ID};
      PRAGMA user_version = ${FORMAT};
      CREATE TABLE IF NOT EXISTS items (seq INTEGER PRIMARY KEY, id TEXT NOT NULL, event TEXT NOT NULL, json TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS forgotten (event TEXT PRIMARY KEY, seq INTEGER NOT NULL);`);
  }

  /**
   * Opens the file and fills `history`, which is empty, from it.
   * @throws SyncError when it cannot be used now: the disk, another server of this workspace
   */
  static async open({ files, openDatabase, root }: HistoryFileOptions, history: HookHistory): Promise<HistoryFile> {
    const folder = files.join(root, "cache", "cloud");
    const path = files.join(folder, FILE_NAME);
    await files.makeFolder(folder);
    // A symlink would have us write where it leads.
    if (((await files.lstat(path))?.kind ?? "file") !== "file") await files.remove(path);
    try {
      return HistoryFile.#openAt(openDatabase, path, history);
    } catch (error) {
      if (!(error instanceof SyncError) || error.code !== "file_unreadable") throw error;
      for (const suffix of ["", "-wal", "-shm"]) await files.remove(path + suffix);
      return HistoryFile.#openAt(openDatabase, path, history);
    }
  }

  static #openAt(openDatabase: (path: string) => Database, path: string, history: HookHistory): HistoryFile {
    const database = openDatabase(path);
    try {
      const file = new HistoryFile(database);
      file.#load(history);
      return file;
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** All is read before the first is taken: a damaged file leaves the history empty. */
  #load(history: HookHistory): void {
    const forgotten = this.database.rows("SELECT event, seq FROM forgotten");
    const items = this.database.rows("SELECT seq, id, json FROM items ORDER BY seq").map(itemOf);
    for (const { event, seq } of forgotten) {
      const name = HOOK_NAMES.find((each) => each === event);
      if (name !== undefined && typeof seq === "number") history.forget(name, seq);
    }
    for (const item of items) if (item !== undefined) history.add(item);
  }

  /** @throws SyncError when it cannot be written, or another server has written an event of this number */
  append({ seq, id, envelope, json }: HookItem, history: HookHistory): void {
    this.database.run("INSERT INTO items (seq, id, event, json) VALUES (?, ?, ?, ?)", seq, id, envelope.event, json);
    if (++this.#appended % TRIM_EVERY === 0) this.#trim(history);
  }

  close(): void {
    this.database.close();
  }

  #trim(history: HookHistory): void {
    for (const name of HOOK_NAMES) {
      const seq = history.forgotten(name);
      this.database.run("INSERT OR REPLACE INTO forgotten (event, seq) VALUES (?, ?)", name, seq);
      this.database.run("DELETE FROM items WHERE event = ? AND seq <= ?", name, seq);
    }
  }
}

/** undefined for an event that this version does not know. @throws SyncError `file_unreadable` for a damaged row */
function itemOf({ seq, id, json }: Readonly<Record<string, unknown>>): HookItem | undefined {
  try {
    if (typeof seq !== "number" || typeof id !== "string") throw new TypeError("a column of the wrong type");
    const envelope = JSON.parse(String(json)) as HookEnvelope;
    return HOOK_NAMES.includes(envelope.event) ? { id, seq, envelope, json: String(json) } : undefined;
  } catch (error) {
    throw new SyncError("file_unreadable", "the history of hooks is damaged", { cause: error });
  }
}
