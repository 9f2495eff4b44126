import { RawSocket } from "../support/raw-socket.ts";

const PATH = "/api/modder/hooks/ws";
/** Small events, numbered by `restored`: what healthy subscribers count. */
export const COUNTED = "on_backup_restored";
/** Large ones that only the silent subscribers ask for: they fill what the network holds for a reader that does not read. */
export const BALLAST = "on_backup_created";
const NUMBER = Buffer.from('"restored":');
const BALLAST_NAME = Buffer.from(`"${BALLAST}"`);

export interface SubscriberFigures {
  /** Events that each healthy subscriber got, the fewest and the most. */
  readonly fewest: number;
  readonly most: number;
  /** Events that came out of turn, twice or not at all, over all healthy subscribers. */
  readonly outOfTurn: number;
  /** Healthy subscribers whose connection ended. */
  readonly lost: number;
}

/** Subscribers of a server's hooks in this process: some that count what they get, some that never read. */
export class CountingSubscribers {
  readonly #counts: number[] = [];
  readonly #silent: RawSocket[] = [];
  readonly #healthy: RawSocket[] = [];
  #outOfTurn = 0;
  #lost = 0;
  #changed: () => void = () => undefined;

  static async connect(port: number, healthy: number, silent: number): Promise<CountingSubscribers> {
    const all = new CountingSubscribers();
    for (let i = 0; i < healthy; i++) await all.#addHealthy(port, i);
    for (let i = 0; i < silent; i++) await all.#addSilent(port);
    return all;
  }

  get figures(): SubscriberFigures {
    return {
      fewest: Math.min(...this.#counts),
      most: Math.max(...this.#counts),
      outOfTurn: this.#outOfTurn,
      lost: this.#lost,
    };
  }

  /** Resolves when every healthy subscriber has got `count` events or has lost its connection. */
  async got(count: number): Promise<void> {
    while (this.#lost === 0 && this.#counts.some((each) => each < count)) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  /** Lets the silent ones read what is left for them, and tells how their connections ended. */
  async endOfSilent(): Promise<readonly { readonly code: number; readonly reason: string }[]> {
    for (const socket of this.#silent) socket.resume();
    return await Promise.all(this.#silent.map((socket) => socket.closed));
  }

  close(): void {
    for (const socket of [...this.#healthy, ...this.#silent]) socket.destroy();
  }

  async #addHealthy(port: number, index: number): Promise<void> {
    this.#counts.push(0);
    const { promise, resolve } = Promise.withResolvers<void>();
    let subscribed = false;
    const socket = await RawSocket.connect(port, PATH, {
      text: (bytes, start, end) => {
        const at = bytes.indexOf(NUMBER, start);
        if (at < 0 || at >= end) {
          if (!subscribed) resolve();
          subscribed = true;
          return;
        }
        const number = Number.parseInt(bytes.toString("latin1", at + NUMBER.length, at + NUMBER.length + 10), 10);
        const expected = (this.#counts[index] ?? 0) + 1;
        if (number !== expected) this.#outOfTurn++;
        this.#counts[index] = number;
        this.#changed();
      },
    });
    void socket.closed.finally(() => {
      this.#lost++;
      this.#changed();
    });
    this.#healthy.push(socket);
    socket.send(JSON.stringify({ topics: [COUNTED] }));
    await promise;
  }

  async #addSilent(port: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const socket = await RawSocket.connect(port, PATH, {
      text: (bytes, start, end) => {
        if (!bytes.subarray(start, end).includes(BALLAST_NAME)) return;
        resolve();
      },
    });
    // Named by its answer: the subscription stands.
    socket.send(JSON.stringify({ topics: [COUNTED, BALLAST] }));
    await promise;
    socket.pause();
    this.#silent.push(socket);
  }
}
