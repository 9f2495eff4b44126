import { DatabaseSync } from "node:sqlite";
import { SyncError } from "../../core/errors.ts";
import type { Database } from "../contract.ts";

const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;

/** SQLite of node:sqlite, which Bun and Deno carry alike. */
export function openDatabase(path: string): Database {
  const database = orSyncError(() => new DatabaseSync(path));
  return {
    execute: (sql) => orSyncError(() => database.exec(sql)),
    run: (sql, ...values) => orSyncError(() => void database.prepare(sql).run(...values)),
    rows: (sql, ...values) => orSyncError(() => database.prepare(sql).all(...values)),
    close: () => database.close(),
  };
}

function orSyncError<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (isBusy(error)) {
      throw new SyncError("lock_busy", "the database is used by another process", { retryable: true, cause: error });
    }
    throw new SyncError("file_unreadable", "the database cannot be used", { cause: error });
  }
}

function isBusy(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ("errcode" in error && typeof error.errcode === "number") {
    const code = error.errcode & 0xff;
    return code === SQLITE_BUSY || code === SQLITE_LOCKED;
  }
  return /locked|busy/i.test(error.message);
}
