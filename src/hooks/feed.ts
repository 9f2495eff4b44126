import { SyncError } from "../core/errors.ts";
import type { Topics } from "./catalogue.ts";
import type { Batch, HookHistory, Position } from "./history.ts";
import type { Timers } from "./timers.ts";

/** Sockets and streams together. */
const READERS_MAX = 4096;
/** What one reader is given at a time; what its connection has not taken is all the memory that it costs. */
const BATCH_BYTES = 64 * 1024;
/** Of the thread's time, so that a run beside a thousand readers is hardly slower: they get more at a time, less often. */
const FLUSH_SHARE_MAX = 0.05;
const FLUSH_PAUSE_MS_MAX = 500;
/** How soon a reader that could not take more is tried again. */
const RETRY_MS = 50;
/** How often idle readers are looked at. */
const SWEEP_MS = 1000;

/** Somebody who is sent events over a connection. */
export interface FeedReader {
  /** Sends what is new as far as the connection takes it. Returns true when there is more to send. */
  flush(nowMs: number): boolean;
  /** Ends the connection, which is told why. */
  end(reason: string): void;
}

/**
 * Brings events to readers at their own speed. There are no queues: each reader walks along the history, and one that
 * is so slow that its next event is no longer kept is dropped. So a reader that does not read costs one batch of memory.
 */
export class HookFeed {
  readonly #readers = new Set<FeedReader>();
  /** What was read for one reader of the present flush serves the others that stand at its place. */
  #batches: Map<string, Batch> | undefined;
  #callOff: (() => void) | undefined;
  #dueMs = Number.POSITIVE_INFINITY;
  #restUntilMs = 0;
  #closed = false;

  constructor(
    readonly history: HookHistory,
    readonly timers: Timers,
    /** Hears what a reader threw, whose connection is then ended. */
    private readonly onReaderError: (error: unknown) => void,
  ) {}

  /** Returns how to take the reader off. @throws SyncError `server_busy` */
  add(reader: FeedReader): () => void {
    if (this.#closed || this.#readers.size >= READERS_MAX) {
      throw new SyncError("server_busy", `${READERS_MAX} subscribers are connected; try again when one has left`, {
        retryable: true,
      });
    }
    this.#readers.add(reader);
    this.wake();
    return () => void this.#readers.delete(reader);
  }

  /** There is something new. */
  wake(): void {
    if (this.#readers.size > 0) this.#flushAt(Math.max(this.timers.nowMs(), this.#restUntilMs));
  }

  /** What a reader at `position` is to be sent next. */
  next(position: Position, topics: Topics): Batch {
    const key = `${position} ${[...topics].join()}`;
    const batch = this.#batches?.get(key) ?? this.history.after(position, topics, BATCH_BYTES);
    this.#batches?.set(key, batch);
    return batch;
  }

  /** Ends every reader and takes no more. */
  close(): void {
    this.#closed = true;
    this.#callOff?.();
    for (const reader of this.#readers) this.#end(reader, "the server is stopping");
    this.#readers.clear();
  }

  #flushAt(atMs: number): void {
    if (this.#closed || this.#dueMs <= atMs) return;
    this.#callOff?.();
    this.#dueMs = atMs;
    this.#callOff = this.timers.after(Math.max(0, atMs - this.timers.nowMs()), () => this.#flush());
  }

  #flush(): void {
    const startedMs = this.timers.nowMs();
    this.#dueMs = Number.POSITIVE_INFINITY;
    this.#batches = new Map();
    let behind = false;
    for (const reader of this.#readers) behind = this.#flushOne(reader, startedMs) || behind;
    this.#batches = undefined;
    const endedMs = this.timers.nowMs();
    const restMs = (endedMs - startedMs) * (1 / FLUSH_SHARE_MAX - 1);
    this.#restUntilMs = endedMs + Math.min(restMs, FLUSH_PAUSE_MS_MAX);
    if (this.#readers.size > 0) this.#flushAt(Math.max(endedMs + (behind ? RETRY_MS : SWEEP_MS), this.#restUntilMs));
  }

  #flushOne(reader: FeedReader, nowMs: number): boolean {
    try {
      return reader.flush(nowMs);
    } catch (error) {
      this.#readers.delete(reader);
      this.onReaderError(error);
      this.#end(reader, "the server could not send");
      return false;
    }
  }

  /** A connection that is broken cannot be told; the others still are. */
  #end(reader: FeedReader, reason: string): void {
    try {
      reader.end(reason);
    } catch (error) {
      this.onReaderError(error);
    }
  }
}
