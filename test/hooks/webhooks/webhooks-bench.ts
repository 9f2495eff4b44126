import { afterAll } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HookBus } from "../../../src/hooks/bus.ts";
import type { HookName } from "../../../src/hooks/catalogue.ts";
import { Webhooks } from "../../../src/hooks/webhooks/webhooks.ts";
import { SecretValues } from "../../../src/logs/redact.ts";
import { bunPlatform } from "../../../src/platform/bun/bun-platform.ts";
import { FakeOutbound } from "../../support/fake-outbound.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { tempFolder } from "../../support/temp-folder.ts";

export const HOOK_URL = "https://hooks.example/in";
export const COMPLETE = "on_cloud_sync_complete";

export interface LogLine {
  readonly level: string;
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The webhooks of a temporary workspace in a network and a time that the test decides. */
export class WebhooksBench {
  readonly root: string;
  readonly outbound = new FakeOutbound();
  readonly clock = new ManualClock(Date.parse("2026-03-01T00:00:00Z"));
  readonly secrets = new SecretValues();
  readonly lines: LogLine[] = [];
  settings = { allowPrivateTargets: false, webhookAttemptsMax: 16, webhookTimeoutMs: 10_000 };
  /** What the config file is said to be damaged by. */
  settingsError: Error | undefined;
  /** Full rests: the longest that jitter allows. */
  random = (): number => 1;
  readonly #opened: Webhooks[] = [];
  #published = 0;

  constructor(root: string = tempFolder()) {
    this.root = root;
    mkdirSync(join(root, "data"), { recursive: true });
    afterAll(async () => {
      for (const webhooks of this.#opened) {
        await webhooks.stop(0);
        webhooks.close();
      }
    });
  }

  /** As a process of its own would. */
  open(): Webhooks {
    const webhooks = new Webhooks({
      ...bunPlatform(),
      root: this.root,
      outbound: this.outbound,
      clock: this.clock,
      random: () => this.random(),
      secrets: this.secrets,
      log: { write: (level, event, fields) => this.lines.push({ level, event, fields }) },
      settings: async () => {
        if (this.settingsError !== undefined) throw this.settingsError;
        return this.settings;
      },
    });
    this.#opened.push(webhooks);
    return webhooks;
  }

  /** Publishes through a bus as the product does; returns the envelope's `data.n`. */
  publish(webhooks: Webhooks, event: HookName = COMPLETE): number {
    const n = ++this.#published;
    const bus = new HookBus({
      now: () => this.clock.now(),
      epoch: `bench${n}`,
      onListenerError: (error) => {
        throw error;
      },
    });
    bus.subscribe((item) => webhooks.publish(item));
    bus.publish(event, { n });
    return n;
  }

  /** The numbers of what was sent, in the order of sending. */
  get sentNumbers(): number[] {
    return this.outbound.sent.map(({ body }) => (JSON.parse(body) as { data: { n: number } }).data.n);
  }

  writeFile(text: string): void {
    writeFileSync(join(this.root, "data/webhooks.json"), text);
  }

  readFile(): string {
    return readFileSync(join(this.root, "data/webhooks.json"), "utf8");
  }

  /** Lets time pass second by second, and everything run that wakes up. */
  async pass(seconds: number): Promise<void> {
    for (let s = 0; s < seconds; s++) await this.clock.advanceAndSettle(1_000);
  }
}

/** Waits for something that real files and locks decide. */
export async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2_000; turn++) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error("it never came true");
}
