import { SyncError, toSyncError } from "../core/errors.ts";
import { isJsonObject } from "../core/json.ts";
import type { ServerSocket, SocketListener } from "../platform/contract.ts";
import { type Topics, topicsOf } from "./catalogue.ts";
import type { FeedReader, HookFeed } from "./feed.ts";
import type { Position } from "./history.ts";

/** For the first message after the connection stands. */
const SUBSCRIBE_MS_MAX = 20_000;
const PING_AFTER_IDLE_MS = 20_000;
/** A connection that takes nothing for so long is dead, whether or not there is more to send. */
const STUCK_MS_MAX = 30_000;
/** For the far side to answer our closing. */
const CLOSING_MS_MAX = 5_000;

/** Codes of RFC 6455 and its registry. */
const GOING_AWAY = 1001;
const POLICY_VIOLATION = 1008;
const TRY_AGAIN_LATER = 1013;

/** Long enough for every event's name and far below what a socket may send. */
const TOPICS_MAX = 256;

/** A WebSocket that hears hooks from now on, as interop.md says: one message from its side, envelopes from ours. */
export function connectHookSocket(feed: HookFeed, socket: ServerSocket): SocketListener {
  const session = new SocketSession(feed, socket);
  try {
    session.leave = feed.add(session);
  } catch (error) {
    session.refuse(TRY_AGAIN_LATER, toSyncError(error).message);
  }
  return session;
}

class SocketSession implements FeedReader, SocketListener {
  leave: () => void = () => undefined;
  #state: "new" | "subscribed" | "closing" | "closed" = "new";
  #topics: Topics = new Set();
  #position: Position = 0;
  /** When the present state began, or something was last sent in it. */
  #sinceMs: number;
  /** Since when the connection has taken nothing. */
  #stuckSinceMs: number | undefined;

  constructor(
    private readonly feed: HookFeed,
    private readonly socket: ServerSocket,
  ) {
    this.#sinceMs = feed.timers.nowMs();
  }

  /** Only the first message counts; later ones are for the connection's sake, e.g. answers to pings. */
  message(text: string | undefined): void {
    if (this.#state !== "new") return;
    try {
      this.#topics = parseSubscription(text);
    } catch (error) {
      this.refuse(POLICY_VIOLATION, toSyncError(error).message);
      return;
    }
    this.#state = "subscribed";
    this.#position = this.feed.history.end;
    this.#send([JSON.stringify({ ok: true, subscribed: [...this.#topics] })]);
  }

  closed(): void {
    this.#state = "closed";
    this.leave();
  }

  flush(nowMs: number): boolean {
    switch (this.#state) {
      case "new":
        if (nowMs - this.#sinceMs > SUBSCRIBE_MS_MAX) this.refuse(POLICY_VIOLATION, "no subscription came");
        return false;
      case "subscribed":
        return this.#deliver(nowMs);
      case "closing":
        if (nowMs - this.#sinceMs > CLOSING_MS_MAX) this.#terminate();
        return false;
      case "closed":
        return false;
    }
  }

  end(reason: string): void {
    this.#close(GOING_AWAY, reason);
  }

  /** Answers that there is no subscription, and closes. */
  refuse(code: number, error: string): void {
    this.socket.send([JSON.stringify({ ok: false, error })]);
    this.#close(code, "refused");
  }

  #deliver(nowMs: number): boolean {
    const { history } = this.feed;
    if (history.misses(this.#position, this.#topics)) {
      this.#close(TRY_AGAIN_LATER, "too slow: events were missed; the event stream can resume");
      return false;
    }
    if (this.#isStuck(nowMs)) return this.#state === "subscribed";
    const { items, position, more } = this.feed.next(this.#position, this.#topics);
    this.#position = position;
    if (items.length > 0) this.#send(items.map((item) => item.json));
    else if (nowMs - this.#sinceMs >= PING_AFTER_IDLE_MS) this.#send(['{"ping": true}']);
    return more;
  }

  /** What was sent before has not left yet; more would only pile up. */
  #isStuck(nowMs: number): boolean {
    if (this.socket.bufferedBytes() === 0) {
      this.#stuckSinceMs = undefined;
      return false;
    }
    this.#stuckSinceMs ??= nowMs;
    if (nowMs - this.#stuckSinceMs > STUCK_MS_MAX) this.#close(TRY_AGAIN_LATER, "too slow: nothing was read");
    return true;
  }

  #send(messages: readonly string[]): void {
    this.#sinceMs = this.feed.timers.nowMs();
    this.socket.send(messages);
  }

  #close(code: number, reason: string): void {
    if (this.#state === "closing" || this.#state === "closed") return;
    this.#state = "closing";
    this.#sinceMs = this.feed.timers.nowMs();
    this.socket.close(code, reason);
  }

  #terminate(): void {
    this.closed();
    this.socket.terminate();
  }
}

/** @throws SyncError `bad_request`, `schema`; nothing of the message is repeated */
function parseSubscription(text: string | undefined): Topics {
  const wrong = (cause?: unknown) =>
    new SyncError("bad_request", 'the first message must be {"topics": ["<event>", …]} or {} for all events', {
      cause,
    });
  let message: unknown;
  try {
    message = JSON.parse(text ?? "");
  } catch (error) {
    throw wrong(error);
  }
  if (!isJsonObject(message)) throw wrong();
  const topics = message["topics"] ?? [];
  if (!Array.isArray(topics) || topics.length > TOPICS_MAX) throw wrong();
  return topicsOf(topics.map((topic: unknown) => (typeof topic === "string" ? topic : "")));
}
