import { HookBus, type HookItem } from "../../src/hooks/bus.ts";
import type { HookName } from "../../src/hooks/catalogue.ts";
import { HookFeed } from "../../src/hooks/feed.ts";
import { HookHistory } from "../../src/hooks/history.ts";
import type { ServerSocket } from "../../src/platform/contract.ts";
import { ManualTimers } from "./manual-timers.ts";

/** Bus, history and feed as Hooks joins them, with a time that a test moves. */
export interface HookRig {
  readonly timers: ManualTimers;
  readonly history: HookHistory;
  readonly feed: HookFeed;
  readonly errors: unknown[];
  /** Events whose data is `{n}`, numbered from where the last call ended. */
  readonly publish: (count: number, event?: HookName) => readonly HookItem[];
}

export function createHookRig(): HookRig {
  const timers = new ManualTimers();
  const history = new HookHistory();
  const errors: unknown[] = [];
  const feed = new HookFeed(history, timers, (error) => errors.push(error));
  const bus = new HookBus({ now: () => 0, epoch: "e", onListenerError: (error) => errors.push(error) });
  bus.subscribe((item) => {
    history.add(item);
    feed.wake();
  });
  let n = 0;
  const publish = (count: number, event: HookName = "on_backup_restored") =>
    Array.from({ length: count }, () => bus.publish(event, { n: ++n }));
  return { timers, history, feed, errors, publish };
}

/** The far side of a WebSocket that takes what it is sent, until told otherwise. */
export class FakeSocket implements ServerSocket {
  readonly sent: unknown[] = [];
  closedWith: { readonly code: number; readonly reason: string } | undefined;
  terminated = false;
  /** While true, the network takes nothing more. */
  stuck = false;
  #buffered = 0;

  send(messages: readonly string[]): void {
    for (const message of messages) {
      this.sent.push(JSON.parse(message));
      if (this.stuck) this.#buffered += message.length;
    }
  }

  bufferedBytes(): number {
    return this.stuck ? this.#buffered : 0;
  }

  close(code: number, reason: string): void {
    this.closedWith = { code, reason };
  }

  terminate(): void {
    this.terminated = true;
  }
}
