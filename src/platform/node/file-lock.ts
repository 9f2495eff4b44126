import { closeSync, fchmodSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { systemClock } from "../../core/clock.ts";
import { SyncError } from "../../core/errors.ts";
import type { FileLock } from "../contract.ts";
import { makeFolders } from "./make-folder.ts";
import { systemCode, writeError } from "./system-error.ts";

const POLL_MS = 5;
const SQLITE_BUSY = 5;
const SQLITE_READONLY = 8;

/** Keeps every held database reachable: collected as garbage it would close, and the lock would be lost unseen. */
const held = new Set<DatabaseSync>();

/**
 * An exclusive lock that the kernel frees when its holder dies: SQLite's own locking of an empty database file. Neither
 * Node, Bun nor Deno offers flock on all systems, and lock files with a pid or a heartbeat go stale or get stolen.
 * Nothing is ever written, so the file stays empty and no journal appears beside it.
 * @throws SyncError `lock_busy` after `timeoutMs`, `aborted`, `write_failed` where folder or lock file cannot be written
 */
export async function lockFile(path: string, timeoutMs: number, signal: AbortSignal | undefined): Promise<FileLock> {
  const database = await openLockDatabase(path);
  try {
    const deadline = performance.now() + timeoutMs;
    while (!tryLock(database, path)) {
      if (performance.now() >= deadline) {
        throw new SyncError("lock_busy", `${path} is held by another process; try again when it has finished`, {
          retryable: true,
        });
      }
      await systemClock.sleep(POLL_MS + Math.random() * POLL_MS, signal);
    }
  } catch (error) {
    database.close();
    throw error;
  }
  held.add(database);
  return {
    release: () => {
      // Closing rolls back and frees the lock; a separate ROLLBACK could fail and leave it held.
      if (held.delete(database)) database.close();
    },
  };
}

async function openLockDatabase(path: string): Promise<DatabaseSync> {
  try {
    await makeFolders(dirname(path));
    makeLockFile(path);
    const database = new DatabaseSync(path);
    database.exec("PRAGMA busy_timeout = 0");
    return database;
  } catch (error) {
    throw writeError(path, error);
  }
}

/** Whoever may write in the folder may hold its locks: the first user's umask must not keep the others out. */
function makeLockFile(path: string): void {
  try {
    const created = openSync(path, "wx");
    try {
      fchmodSync(created, 0o600 | (statSync(dirname(path)).mode & 0o066));
    } finally {
      closeSync(created);
    }
  } catch (error) {
    // Not to be opened here: closing it would end a lock of this very process.
    if (systemCode(error) !== "EEXIST") throw error;
  }
}

/** The pragma after BEGIN would write, if the transaction ended: of a file that may only be read BEGIN takes a lock that keeps nobody out. */
function tryLock(database: DatabaseSync, path: string): boolean {
  try {
    // Without the pragma a `-journal` file would appear beside the lock. It reads the database, so a holder makes it busy too.
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE; PRAGMA user_version = 0");
    return true;
  } catch (error) {
    if (isCode(error, SQLITE_BUSY, /locked|busy/i)) return false;
    if (isCode(error, SQLITE_READONLY, /readonly/i)) {
      const remedy = "let whoever works here write it, or remove it while nothing runs";
      throw new SyncError("write_failed", `the lock file ${path} can only be read: ${remedy}`, { cause: error });
    }
    throw new SyncError("write_failed", "a lock file cannot be used; is it on a read-only or network file system?", {
      cause: error,
    });
  }
}

/** @param words of the message, where the runtime gives no number */
function isCode(error: unknown, code: number, words: RegExp): boolean {
  if (!(error instanceof Error)) return false;
  if ("errcode" in error && typeof error.errcode === "number") return (error.errcode & 0xff) === code;
  return words.test(error.message);
}
