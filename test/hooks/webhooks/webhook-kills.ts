import { createHmac } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Webhook } from "standardwebhooks";
import { SeededRandom } from "../../faults/seeded-random.ts";

const MAIN = resolve(import.meta.dir, "../../../src/main.ts");
const PLAIN = "a plain secret of the studio";
const KEYED = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PLAN = "on_cloud_sync_plan";
const COMPLETE = "on_cloud_sync_complete";
const READY_MS_MAX = 30_000;
/** Events of each server before it may be killed. */
const ACKNOWLEDGED_MIN = 3;
const DRAIN_MS_MAX = 180_000;

export interface WebhookKillOptions {
  readonly seed: number;
  readonly kills: number;
}

export interface WebhookKillReport {
  readonly seed: number;
  readonly kills: number;
  /** Kills while the receiver was up, which is when events arrive twice. */
  readonly killsWhileSending: number;
  /** Events whose publishing was acknowledged. */
  readonly acknowledged: number;
  readonly deliveries: number;
  /** Deliveries of an event that had arrived before. */
  readonly doubles: number;
  readonly signaturesVerified: number;
  /** Answers with which the receiver refused on purpose. */
  readonly refusals: number;
}

interface Arrived {
  readonly n: number;
  readonly id: string;
}

/**
 * Publishes numbered events through the real server, which is killed with SIGKILL at random moments: first while the
 * receiver is down, then while it is up and refuses some. In the end every acknowledged event must have arrived at each
 * target at least once, for the first time in the order of publishing, and signed so that both verifiers agree.
 * @throws Error that says what was violated
 */
export async function killWebhookSenders({ seed, kills }: WebhookKillOptions): Promise<WebhookKillReport> {
  const random = new SeededRandom(seed);
  const root = mkdtempSync(join(tmpdir(), "comfyvn-webhook-kills-"));
  const receiver = new Receiver(random);
  const publisher = new Publisher(root);
  const down = Math.ceil((kills * 2) / 3);
  try {
    writeWorkspace(root, receiver.port);
    for (let kill = 0; kill < kills; kill++) {
      if (kill === down) receiver.up();
      await publisher.publishUntilKilled(random.integer(50, 700));
    }
    receiver.up();
    receiver.refusesOnceMore();
    await publisher.drain();
    if (receiver.figures.refusals === 0) throw new Error("no delivery was refused: the fault never fired");
    receiver.check("/plain", publisher.acknowledged);
    receiver.check(
      "/keyed",
      publisher.acknowledged.filter((n) => eventOf(n) === COMPLETE),
    );
    return { seed, kills, killsWhileSending: kills - down, ...publisher.figures, ...receiver.figures };
  } finally {
    await receiver.close();
    rmSync(root, { recursive: true, force: true });
  }
}

function eventOf(n: number): string {
  return n % 3 === 0 ? PLAN : COMPLETE;
}

function writeWorkspace(root: string, port: number): void {
  for (const folder of ["config", "data"]) mkdirSync(join(root, folder));
  const hooks = { allow_private_targets: true, webhook_attempts_max: 1000, webhook_timeout_s: 5 };
  writeFileSync(join(root, "config/comfyvn.json"), JSON.stringify({ hooks }));
  // As the studio writes it: two subscriptions of one address, which share its order, and one of another.
  const subscriptions = [
    { event: PLAN, url: `http://127.0.0.1:${port}/plain`, secret: PLAIN },
    { event: COMPLETE, url: `http://127.0.0.1:${port}/plain`, secret: PLAIN },
    { event: COMPLETE, url: `http://127.0.0.1:${port}/keyed`, secret: KEYED },
  ];
  writeFileSync(join(root, "data/webhooks.json"), JSON.stringify(subscriptions, null, 2));
}

class Publisher {
  readonly acknowledged: number[] = [];
  #next = 1;

  constructor(private readonly root: string) {}

  get figures() {
    return { acknowledged: this.acknowledged.length };
  }

  async publishUntilKilled(afterMs: number): Promise<void> {
    await this.#serving(async (base, child) => {
      // However slow the machine is, there is something to lose.
      for (let first = 0; first < ACKNOWLEDGED_MIN; first++) await this.#publish(base);
      const timer = setTimeout(() => child.kill("SIGKILL"), afterMs);
      try {
        while (child.exitCode === null && child.signalCode === null) await this.#publish(base);
      } catch {
        // The connection died with the server.
      } finally {
        clearTimeout(timer);
      }
      await child.exited;
    });
  }

  /** One more start, and everything goes out. */
  async drain(): Promise<void> {
    await this.#serving(async (base) => {
      for (let more = 0; more < 3; more++) await this.#publish(base);
      const endMs = Date.now() + DRAIN_MS_MAX;
      while ((await itemsOf(base, "pending")) > 0) {
        if (Date.now() > endMs) throw new Error("events are still pending long after the receiver came back");
        await Bun.sleep(100);
      }
      if ((await itemsOf(base, "dead")) > 0) throw new Error("events were given up");
    });
  }

  async #publish(base: string): Promise<void> {
    const n = this.#next++;
    const response = await fetch(`${base}/api/modder/hooks/test`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ event: eventOf(n), payload: { snapshot: `n${n}` } }),
      signal: AbortSignal.timeout(READY_MS_MAX),
    });
    if (response.status !== 200) throw new Error(`publishing answered ${response.status}: ${await response.text()}`);
    await response.body?.cancel();
    this.acknowledged.push(n);
  }

  async #serving(use: (base: string, child: Bun.Subprocess<"ignore", "pipe", "ignore">) => Promise<void>) {
    const child = Bun.spawn([process.execPath, MAIN, "serve", "--root", this.root, "--port", "0"], {
      env: { PATH: "/usr/bin:/bin", HOME: this.root },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "ignore",
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), READY_MS_MAX + DRAIN_MS_MAX);
    try {
      await use(await baseOf(child), child);
    } finally {
      clearTimeout(timer);
      child.kill("SIGKILL");
      await child.exited;
    }
  }
}

async function baseOf(child: Bun.Subprocess<"ignore", "pipe", "ignore">): Promise<string> {
  const reader = child.stdout.getReader();
  let text = "";
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    text += new TextDecoder().decode(chunk.value);
    const base = /^listening on (\S+)\n/m.exec(text)?.[1];
    if (base !== undefined) return base;
  }
  throw new Error("the server ended before it listened");
}

async function itemsOf(base: string, list: "pending" | "dead"): Promise<number> {
  const response = await fetch(`${base}/api/modder/hooks/webhooks/${list}`);
  const { items } = (await response.json()) as { items: unknown[] };
  return items.length;
}

/** Listens on one port whenever it is up. */
class Receiver {
  readonly port: number;
  /** Paths that refuse their next delivery and none after it; undefined while each may be refused. */
  #refusing: Set<string> | undefined;
  readonly #random: SeededRandom;
  readonly #arrived = new Map<string, Arrived[]>();
  #server: Bun.Server<undefined> | undefined;
  #verified = 0;
  #refusals = 0;
  #fault: string | undefined;

  constructor(random: SeededRandom) {
    this.#random = random.fork();
    const probe = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
    this.port = probe.port ?? 0;
    void probe.stop(true);
  }

  up(): void {
    this.#server ??= Bun.serve({ hostname: "127.0.0.1", port: this.port, fetch: (request) => this.#take(request) });
  }

  /** What comes next to each path is refused, whatever was refused before; everything after it is taken. */
  refusesOnceMore(): void {
    this.#refusing = new Set(["/plain", "/keyed"]);
  }

  async close(): Promise<void> {
    await this.#server?.stop(true);
  }

  get figures() {
    const all = [...this.#arrived.values()];
    const deliveries = all.reduce((sum, list) => sum + list.length, 0);
    const distinct = all.reduce((sum, list) => sum + new Set(list.map(({ n }) => n)).size, 0);
    const doubles = deliveries - distinct;
    return { deliveries, doubles, signaturesVerified: this.#verified, refusals: this.#refusals };
  }

  /** @throws Error when one of `expected` is missing, out of order, or came under two ids */
  check(path: string, expected: readonly number[]): void {
    if (this.#fault !== undefined) throw new Error(this.#fault);
    const ids = new Map<number, string>();
    for (const { n, id } of this.#arrived.get(path) ?? []) {
      if ((ids.get(n) ?? id) !== id) throw new Error(`event ${n} came under two ids`);
      ids.set(n, id);
    }
    const missing = expected.filter((n) => !ids.has(n));
    if (missing.length > 0) throw new Error(`${path} never got the events ${missing.join(", ")}`);
    const order = [...ids.keys()];
    const wrong = order.findIndex((n, at) => at > 0 && n < (order[at - 1] ?? 0));
    if (wrong > 0) throw new Error(`${path} got ${order[wrong]} after ${order[wrong - 1]}`);
  }

  async #take(request: Request): Promise<Response> {
    const body = await request.text();
    const path = new URL(request.url).pathname;
    // Before it is known: a refusal must be followed by the same event.
    const refuses = this.#refusing === undefined ? this.#random.chance(0.1) : this.#refusing.delete(path);
    if (refuses) {
      this.#refusals++;
      return new Response("no", { status: this.#random.pick([500, 503, 302, 404]) });
    }
    this.#verify(path, body, request.headers);
    const { snapshot } = (JSON.parse(body) as { data: { snapshot: string } }).data;
    const arrived = { n: Number(snapshot.slice(1)), id: request.headers.get("webhook-id") ?? "" };
    this.#arrived.set(path, [...(this.#arrived.get(path) ?? []), arrived]);
    return new Response("ok");
  }

  #verify(path: string, body: string, headers: Headers): void {
    const secret = path === "/keyed" ? KEYED : PLAIN;
    const standard =
      path === "/keyed" ? new Webhook(KEYED) : new Webhook(new TextEncoder().encode(PLAIN), { format: "raw" });
    try {
      standard.verify(body, Object.fromEntries(headers));
      const expected = createHmac("sha256", secret).update(body).digest("hex");
      if (headers.get("x-comfy-signature") !== expected) throw new Error("X-Comfy-Signature is another one");
      this.#verified++;
    } catch (error) {
      this.#fault ??= `a delivery to ${path} does not verify: ${String(error)}`;
    }
  }
}
