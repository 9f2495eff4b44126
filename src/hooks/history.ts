import type { HookItem } from "./bus.ts";
import type { HookName, Topics } from "./catalogue.ts";

/** Kept of each event, so that a run's progress does not push the plans and results out. */
const ITEMS_PER_EVENT_MAX = 1000;
const BYTES_MAX = 4 * 1024 * 1024;

/** Where a reader stands: it has seen every event up to here. */
export type Position = number;

/** What a reader gets next. */
export interface Batch {
  /** Oldest first; empty when there is nothing new. */
  readonly items: readonly HookItem[];
  /** Where the reader stands when it has taken them. */
  readonly position: Position;
  /** There is more. */
  readonly more: boolean;
}

/** The last events, in order, bounded in number and size. Readers walk along it, each at its own position. */
export class HookHistory {
  /** In order of `seq`, which may have holes. */
  readonly #items: HookItem[] = [];
  readonly #counts = new Map<HookName, number>();
  /** Of each event the last one that is no longer kept. */
  readonly #forgotten = new Map<HookName, Position>();
  #bytes = 0;
  #end: Position = 0;

  constructor(private readonly bytesMax = BYTES_MAX) {}

  /** @param item the newest one */
  add(item: HookItem): void {
    const { event } = item.envelope;
    const count = (this.#counts.get(event) ?? 0) + 1;
    this.#items.push(item);
    this.#counts.set(event, count);
    this.#bytes += item.json.length;
    this.#end = item.seq;
    if (count > ITEMS_PER_EVENT_MAX) this.#drop(this.#items.findIndex((each) => each.envelope.event === event));
    while (this.#bytes > this.bytesMax && this.#items.length > 1) this.#drop(0);
  }

  /** Says that an event up to `position` was kept once and is not here. */
  forget(event: HookName, position: Position): void {
    this.#forgotten.set(event, Math.max(position, this.forgotten(event)));
    this.#end = Math.max(position, this.#end);
  }

  /** Position of the last event of this name that is no longer kept; 0 when there is none. */
  forgotten(event: HookName): Position {
    return this.#forgotten.get(event) ?? 0;
  }

  /** Where a reader stands that wants only what is yet to come. */
  get end(): Position {
    return this.#end;
  }

  /** The first position at which a reader of the topics misses nothing. */
  start(topics: Topics): Position {
    return Math.max(0, ...[...topics].map((topic) => this.forgotten(topic)));
  }

  /** The newest `count` events, oldest first. */
  latest(count: number): readonly HookItem[] {
    return this.#items.slice(-count);
  }

  /** What a reader at `position` has yet to see of its topics, about `bytesMax` of it and at least one event. */
  after(position: Position, topics: Topics, bytesMax: number): Batch {
    const items: HookItem[] = [];
    let bytes = 0;
    for (let i = this.#indexAfter(position); i < this.#items.length; i++) {
      const item = this.#items[i];
      if (item === undefined || !topics.has(item.envelope.event)) continue;
      if (bytes >= bytesMax) return { items, position: items.at(-1)?.seq ?? position, more: true };
      items.push(item);
      bytes += item.json.length;
    }
    return { items, position: Math.max(position, this.#end), more: false };
  }

  /** True when an event of the topics is gone that a reader at `position` has not seen. */
  misses(position: Position, topics: Topics): boolean {
    return this.start(topics) > position;
  }

  /** An id that stands for `end`: `positionOf` understands it, also after a restart. */
  get endId(): string {
    return this.#items.at(-1)?.id ?? "none-0";
  }

  /**
   * Where the reader stands whose last event had this id; undefined for an id that this history cannot place: made up,
   * or of a process of which nothing is kept.
   */
  positionOf(id: string): Position | undefined {
    const [, epoch = "", number = ""] = /^([0-9a-z]{1,32})-(\d{1,15})$/.exec(id) ?? [];
    if (number === "") return undefined;
    if (number === "0") return 0;
    const last = this.#items.findLast((item) => item.id.startsWith(`${epoch}-`));
    // Past the last one kept: a power failure took the end of that time away, which this reader has seen.
    return last === undefined ? undefined : Math.min(Number(number), last.seq);
  }

  #drop(index: number): void {
    const [item] = this.#items.splice(index, 1);
    if (item === undefined) return;
    const { event } = item.envelope;
    this.#bytes -= item.json.length;
    this.#counts.set(event, (this.#counts.get(event) ?? 0) - 1);
    this.forget(event, item.seq);
  }

  /** Index of the first item after `position`. */
  #indexAfter(position: Position): number {
    let low = 0;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#items[middle]?.seq ?? Number.POSITIVE_INFINITY) > position) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
