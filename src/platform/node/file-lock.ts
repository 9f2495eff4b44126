import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { systemClock } from "../../core/clock.ts";
import { SyncError } from "../../core/errors.ts";
import type { FileLock } from "../contract.ts";
import { makeFolders } from "./make-folder.ts";
import { writeError } from "./system-error.ts";

const POLL_MS = 5;
const SQLITE_BUSY = 5;

/** Keeps every held database reachable: collected as garbage it would close, and the lock would be lost unseen. */
const held = new Set<DatabaseSync>();

/**
 * An exclusive lock that the kernel frees when its holder dies: SQLite's own locking of an empty database file. Neither
 * Node, Bun nor Deno offers flock on all systems, and lock files with a pid or a heartbeat go stale or get stolen.
 * Nothing is ever written, so the file stays empty and no journal appears beside it.
 * @throws SyncError `lock_busy` after `timeoutMs`, `aborted`, `write_failed` where the folder cannot be written
 */
export async function lockFile(path: string, timeoutMs: number, signal: AbortSignal | undefined): Promise<FileLock> {
  const database = await openLockDatabase(path);
  try {
    const deadline = performance.now() + timeoutMs;
    while (!tryLock(database)) {
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
    const database = new DatabaseSync(path);
    database.exec("PRAGMA busy_timeout = 0");
    return database;
  } catch (error) {
    throw writeError(path, error);
  }
}

function tryLock(database: DatabaseSync): boolean {
  try {
    // Without the pragma a `-journal` file would appear beside the lock. It reads the database, so a holder makes it busy too.
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    return true;
  } catch (error) {
    if (isBusy(error)) return false;
    throw new SyncError("write_failed", "a lock file cannot be used; is it on a read-only or network file system?", {
      cause: error,
    });
  }
}

function isBusy(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ("errcode" in error && typeof error.errcode === "number") return (error.errcode & 0xff) === SQLITE_BUSY;
  return /locked|busy/i.test(error.message);
}
