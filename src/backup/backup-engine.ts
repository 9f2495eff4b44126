import { type Clock, isoUtc } from "../core/clock.ts";
import { SyncError } from "../core/errors.ts";
import type { EventSink } from "../core/events.ts";
import type { NewHasher } from "../core/hash.ts";
import type { Compression, Files, TreeReader, TreeWriter } from "../platform/contract.ts";
import type { ThreadPool } from "../threads/thread-pool.ts";
import { BACKUPS_FOLDER } from "./backup-name.ts";

/** What backups need of their surroundings; app.ts fills it in. */
export interface BackupEngine {
  /** Native path of the workspace. */
  readonly root: string;
  readonly files: Files;
  readonly tree: TreeReader;
  readonly openTreeWriter: (root: string) => TreeWriter;
  readonly compression: Compression;
  readonly newHasher: NewHasher;
  readonly events: EventSink;
  readonly clock: Clock;
  readonly reclaimMemory: () => void;
  /** Other threads; without them this one and the platform's do everything. */
  readonly pool?: ThreadPool | undefined;
  /** How long one waits for another to end, milliseconds. */
  readonly lockTimeoutMs?: number;
}

/** How far a backup or a restore is. */
export interface BackupProgress {
  readonly phase: "check" | "archive" | "restore";
  readonly filesDone: number;
  readonly filesTotal: number;
  readonly bytesDone: number;
  /** As the archive's directory says; undefined while archiving, when files are sized as they are read. */
  readonly bytesTotal?: number;
}

export interface BackupCallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called at most ten times a second, and once at the end of a phase. */
  readonly onProgress?: ((progress: BackupProgress) => void) | undefined;
}

/** Entries that leave some 20 MB behind by the time they have been looked at. */
export const MANY_ENTRIES = 20_000;

/** Asks for memory back in time while entries by the ten thousand are looked at; for fewer never. */
export class MemoryReclaim {
  readonly #engine: Pick<BackupEngine, "reclaimMemory">;
  #entries = 0;

  constructor(engine: Pick<BackupEngine, "reclaimMemory">) {
    this.#engine = engine;
  }

  /** Another one was looked at. */
  entry(): void {
    if (++this.#entries % MANY_ENTRIES === 0) this.#engine.reclaimMemory();
  }
}

/** Some requests made at the same time all succeed when each is soon done: names take them a second each. */
const LOCK_TIMEOUT_MS_DEFAULT = 10_000;

/** Native path of the folder with the archives. */
export function backupsFolder({ files, root }: BackupEngine): string {
  return files.join(root, ...BACKUPS_FOLDER.split("/"));
}

/** Now, as a manifest writes it. */
export function nowIso(engine: BackupEngine): string {
  return isoUtc(engine.clock.now());
}

/** Runs one create or restore of a workspace at a time, among all processes. @throws SyncError `backup_busy` */
export async function withBackupLock<T>(
  { files, root, lockTimeoutMs: timeoutMs = LOCK_TIMEOUT_MS_DEFAULT }: BackupEngine,
  signal: AbortSignal | undefined,
  run: () => Promise<T>,
): Promise<T> {
  const path = files.join(root, "cache", "cloud", "locks", "backup.lock");
  const options = { timeoutMs, ...(signal === undefined ? {} : { signal }) };
  const lock = await files.lock(path, options).catch((error: unknown) => {
    if (!(error instanceof SyncError) || error.code !== "lock_busy") throw error;
    throw new SyncError("backup_busy", "another backup or restore of this workspace is under way; wait for it to end", {
      retryable: true,
      cause: error,
    });
  });
  try {
    return await run();
  } finally {
    lock.release();
  }
}
