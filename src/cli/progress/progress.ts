import type { BackupProgress, ScanProgress } from "../../app.ts";
import type { SyncProgress } from "../../core/events.ts";

/** How far a command is, from whatever room tells it. */
export interface Progress {
  /** What is being done, e.g. `upload`. A new one starts a new count. */
  readonly phase: string;
  readonly filesDone: number;
  readonly filesTotal: number;
  readonly bytesDone: number;
  /** undefined where nobody knows before the end. */
  readonly bytesTotal: number | undefined;
}

/** A scan's `bytesTotal` is what it has read: files are sized as they are read. */
export function syncProgress(event: Omit<SyncProgress, "type" | "service" | "snapshot" | "dryRun">): Progress {
  const { phase, filesDone, filesTotal, bytesDone, bytesTotal } = event;
  return { phase, filesDone, filesTotal, bytesDone, bytesTotal: phase === "scan" ? undefined : bytesTotal };
}

export function scanProgress({ filesDone, filesTotal, bytesDone }: ScanProgress): Progress {
  return { phase: "scan", filesDone, filesTotal, bytesDone, bytesTotal: undefined };
}

export function backupProgress({ phase, filesDone, filesTotal, bytesDone, bytesTotal }: BackupProgress): Progress {
  return { phase, filesDone, filesTotal, bytesDone, bytesTotal };
}

/** 0 to 1, by bytes where their total is known; undefined while nothing is known to be there. */
export function shareDone({ filesDone, filesTotal, bytesDone, bytesTotal }: Progress): number | undefined {
  const [done, total] =
    bytesTotal === undefined || bytesTotal === 0 ? [filesDone, filesTotal] : [bytesDone, bytesTotal];
  return total === 0 ? undefined : Math.min(1, Math.max(0, done / total));
}
