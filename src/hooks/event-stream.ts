import type { Topics } from "./catalogue.ts";
import type { FeedReader, HookFeed } from "./feed.ts";
import type { Position } from "./history.ts";

const KEEPALIVE_AFTER_IDLE_MS = 15_000;
const RECONNECT_AFTER_MS = 2_000;

const GAP = `event: gap\ndata: ${JSON.stringify({
  reason: "events after the given Last-Event-ID are no longer kept; what follows are those that are",
})}\n\n`;

export interface EventStreamOptions {
  readonly topics: Topics;
  /** Id of the last event that the reader has; undefined for one that wants only what is yet to come. */
  readonly lastEventId: string | undefined;
}

/**
 * Server-Sent Events: an id and an envelope each. It starts after `lastEventId`, and says by an event `gap` when what
 * followed that is no longer kept. A reader that is too slow gets an event `dropped` and the end of the stream.
 * @throws SyncError `server_busy`
 */
export function openEventStream(feed: HookFeed, options: EventStreamOptions): ReadableStream<Uint8Array> {
  const reader = new StreamReader(feed, options);
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => reader.start(controller),
      pull: () => reader.pull(),
      cancel: () => reader.cancelled(),
    },
    // Nothing is made before the connection has taken what was made before.
    { highWaterMark: 0 },
  );
}

class StreamReader implements FeedReader {
  readonly leave: () => void;
  readonly #topics: Topics;
  readonly #preface: string;
  readonly #encoder = new TextEncoder();
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #position: Position;
  /** Up to here events may be gone: the reader was told at the start. */
  readonly #gapEnd: Position;
  #sentMs: number;
  /** Set while the connection wants more and there is nothing. */
  #wanted: (() => void) | undefined;

  constructor(
    private readonly feed: HookFeed,
    { topics, lastEventId }: EventStreamOptions,
  ) {
    const { history, timers } = feed;
    this.#topics = topics;
    this.#sentMs = timers.nowMs();
    const known = lastEventId === undefined ? history.end : history.positionOf(lastEventId);
    this.#position = known ?? 0;
    const gap = known === undefined || history.misses(known, topics) ? GAP : "";
    // A first id, so that a reader that loses the connection before the first event can resume as well.
    const first = lastEventId === undefined ? `id: ${history.endId}\n` : "";
    this.#preface = `: connected\nretry: ${RECONNECT_AFTER_MS}\n${first}\n${gap}`;
    this.#gapEnd = gap === "" ? 0 : history.start(topics);
    this.leave = feed.add(this);
  }

  start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#controller = controller;
    this.#send(this.#preface);
  }

  async pull(): Promise<void> {
    if (this.#deliver()) return;
    await new Promise<void>((resolve) => {
      this.#wanted = resolve;
    });
  }

  flush(nowMs: number): boolean {
    if (this.#wanted === undefined) {
      this.#dropIfTooSlow();
    } else if (this.#deliver()) {
      this.#satisfied();
    } else if (nowMs - this.#sentMs >= KEEPALIVE_AFTER_IDLE_MS) {
      this.#send(": keepalive\n\n");
      this.#satisfied();
    }
    return false;
  }

  end(reason: string): void {
    if (this.#controller === undefined) return;
    this.#send(`event: dropped\ndata: ${JSON.stringify({ reason })}\n\n`);
    this.#controller.close();
    this.cancelled();
  }

  /** The connection is gone, or we have ended it. */
  cancelled(): void {
    this.#controller = undefined;
    this.leave();
    this.#satisfied();
  }

  /** Sends what is next; false when there is nothing and more may come. */
  #deliver(): boolean {
    if (this.#controller === undefined || this.#dropIfTooSlow()) return true;
    const { items, position } = this.feed.next(this.#position, this.#topics);
    this.#position = position;
    if (items.length === 0) return false;
    this.#send(items.map((item) => `id: ${item.id}\ndata: ${item.json}\n\n`).join(""));
    return true;
  }

  #dropIfTooSlow(): boolean {
    const missed = this.feed.history.misses(Math.max(this.#position, this.#gapEnd), this.#topics);
    if (missed) this.end("too slow: events were missed");
    return missed;
  }

  #satisfied(): void {
    this.#wanted?.();
    this.#wanted = undefined;
  }

  #send(text: string): void {
    this.#sentMs = this.feed.timers.nowMs();
    this.#controller?.enqueue(this.#encoder.encode(text));
  }
}
