import type { ProductEvent } from "../core/events.ts";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import type { ServerSocket, SocketListener } from "../platform/contract.ts";
import { HookBus, type HookEnvelope, type HookItem, type HookListener } from "./bus.ts";
import { type HookName, topicsOf } from "./catalogue.ts";
import { openEventStream } from "./event-stream.ts";
import { HookFeed } from "./feed.ts";
import { HookHistory } from "./history.ts";
import { HistoryFile, type HistoryFileOptions } from "./history-file.ts";
import { type Hook, hookOfEvent } from "./hook-of-event.ts";
import { type ListedHook, listHooks } from "./listing.ts";
import { ProgressThrottle } from "./progress-throttle.ts";
import { connectHookSocket } from "./socket-session.ts";
import { testHook } from "./test-hook.ts";
import { systemTimers, type Timers } from "./timers.ts";

export interface HooksOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** A copy without secrets: whatever a payload may hold, nobody is sent one. */
  readonly redact: (data: unknown) => unknown;
  /** Hears what went wrong without stopping anything. */
  readonly onError: (error: unknown) => void;
  readonly timers?: Timers;
}

export interface HookHistoryItem extends HookEnvelope {
  readonly id: string;
}

/** From the product's events to those who hear of them: bus, history and readers of one process. */
export class Hooks {
  readonly #options: HooksOptions;
  readonly #bus: HookBus;
  readonly #history = new HookHistory();
  readonly #feed: HookFeed;
  readonly #throttle: ProgressThrottle;
  #file: HistoryFile | undefined;

  constructor(options: HooksOptions) {
    this.#options = options;
    const { now, onError, timers = systemTimers } = options;
    this.#bus = new HookBus({ now, epoch: newEpoch(now()), onListenerError: onError });
    this.#feed = new HookFeed(this.#history, timers, onError);
    this.#throttle = new ProgressThrottle((hook) => void this.publish(hook), timers);
    this.#bus.subscribe((item) => {
      this.#history.add(item);
      this.#feed.wake();
    });
    this.#bus.subscribe((item) => this.#append(item));
  }

  /** Publishes what tools may hear of `event`. Never throws and never waits. */
  tell(event: ProductEvent): void {
    const hook = hookOfEvent(event, this.#options.now() / 1000);
    if (hook !== undefined) this.#throttle.offer(hook);
  }

  /** Never throws and never waits. */
  publish({ name, data }: Hook): HookItem {
    const redacted = this.#options.redact(data);
    return this.#bus.publish(name, isJsonObject(redacted) ? redacted : {});
  }

  /** As HookBus.subscribe. */
  subscribe(listener: HookListener): () => void {
    return this.#bus.subscribe(listener);
  }

  /** What there is to hear of. */
  list(): readonly ListedHook[] {
    return listHooks();
  }

  /** The newest `count` events, oldest first, each with the id after which a stream can go on. */
  latest(count: number): readonly HookHistoryItem[] {
    return this.#history.latest(count).map(({ id, envelope }) => ({ id, ...envelope }));
  }

  /** Server-Sent Events, as openEventStream. @param topics names of events; none stands for all */
  stream(topics: readonly string[], lastEventId: string | undefined): ReadableStream<Uint8Array> {
    return openEventStream(this.#feed, { topics: topicsOf(topics), lastEventId });
  }

  /** Speaks the hooks' WebSocket protocol over `socket`. */
  connect(socket: ServerSocket): SocketListener {
    return connectHookSocket(this.#feed, socket);
  }

  /** Sends every subscriber an event that did not happen. @throws SyncError as testHook */
  test(event: string, payload: JsonObject): { readonly event: HookName; readonly id: string } {
    const hook = testHook(event, payload, this.#options.now() / 1000);
    return { event: hook.name, id: this.publish(hook).id };
  }

  /** From now on the history outlives the process. What the disk refuses is told to `onError` and done without. */
  async keep(options: HistoryFileOptions): Promise<void> {
    if (this.#file !== undefined || this.#history.end > 0) return;
    try {
      this.#file = await HistoryFile.open(options, this.#history);
      this.#bus.resumeAfter(this.#history.end);
    } catch (error) {
      this.#options.onError(error);
    }
  }

  /** Ends every WebSocket and event stream, and takes no more. */
  endReaders(): void {
    this.#feed.close();
  }

  close(): void {
    this.#throttle.close();
    this.#feed.close();
    this.#file?.close();
    this.#file = undefined;
  }

  /** @throws SyncError; a file that fails once is not written again, so that it never has a hole that nobody sees */
  #append(item: HookItem): void {
    try {
      this.#file?.append(item, this.#history);
    } catch (error) {
      this.#file?.close();
      this.#file = undefined;
      throw error;
    }
  }
}

/** Two processes that start in the same millisecond differ as well. */
function newEpoch(nowMs: number): string {
  const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
  return nowMs.toString(36) + random.toString(36).padStart(7, "0");
}
