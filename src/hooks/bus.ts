import type { HookName } from "./catalogue.ts";

/** An event as every subscriber gets it: WebSocket message, SSE data, webhook body, item of the history. */
export interface HookEnvelope {
  readonly event: HookName;
  /** Seconds since the epoch. */
  readonly ts: number;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface HookItem {
  /** Names the event among all that this workspace ever published: `<epoch>-<seq>`, letters, digits and one hyphen. */
  readonly id: string;
  /** Rises with each event of the workspace. */
  readonly seq: number;
  readonly envelope: HookEnvelope;
  /** The envelope as JSON, made once for all subscribers; ASCII only. */
  readonly json: string;
}

/** Called at once and in order; must come back at once. What it throws is told and goes no further. */
export type HookListener = (item: HookItem) => void;

export interface HookBusOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Of this process, [0-9a-z]+; another one for each start. */
  readonly epoch: string;
  /** Hears what a listener threw. */
  readonly onListenerError: (error: unknown) => void;
}

/**
 * Hands each event to every subscriber, synchronously: when `publish` returns, a subscriber that stores events has
 * stored this one. Neither a run nor another subscriber feels one that throws.
 */
export class HookBus {
  readonly #options: HookBusOptions;
  readonly #listeners = new Set<HookListener>();
  #seq = 0;

  constructor(options: HookBusOptions) {
    this.#options = options;
  }

  /** Numbers the next event after those of earlier processes. Before the first `publish`. */
  resumeAfter(seq: number): void {
    this.#seq = seq;
  }

  /** Returns how to end the subscription. */
  subscribe(listener: HookListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** `data` must be plain JSON without secrets, in the shape of the catalogue. Never throws. */
  publish(event: HookName, data: Readonly<Record<string, unknown>>): HookItem {
    const seq = ++this.#seq;
    const envelope: HookEnvelope = { event, ts: this.#options.now() / 1000, data };
    const item: HookItem = { id: `${this.#options.epoch}-${seq}`, seq, envelope, json: asciiJson(envelope) };
    for (const listener of this.#listeners) {
      try {
        listener(item);
      } catch (error) {
        this.#options.onListenerError(error);
      }
    }
    return item;
  }
}

/** One byte a character: length is size, and sending needs no conversion. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u0080-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
