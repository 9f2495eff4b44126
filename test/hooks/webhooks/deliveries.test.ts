import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SyncError } from "../../../src/core/errors.ts";
import type { PostOutcome } from "../../../src/platform/contract.ts";
import { COMPLETE, HOOK_URL, until, WebhooksBench } from "./webhooks-bench.ts";

const OK: PostOutcome = { status: 200, retryAfter: undefined };
const DOWN: PostOutcome = { failure: "unreachable" };

async function subscribed(): Promise<{ bench: WebhooksBench; webhooks: ReturnType<WebhooksBench["open"]> }> {
  const bench = new WebhooksBench();
  const webhooks = bench.open();
  await webhooks.register({ event: COMPLETE, url: HOOK_URL, secret: "a secret of the hook" });
  return { bench, webhooks };
}

test("an event is on the disk before publish returns: another process sends it after this one is gone", async () => {
  const { bench, webhooks } = await subscribed();
  bench.publish(webhooks);
  webhooks.close();
  expect(bench.outbound.sent).toEqual([]);
  bench.open().start();
  await until(() => bench.sentNumbers.length === 1);
  expect(bench.outbound.sent[0]).toMatchObject({ url: HOOK_URL, address: "93.184.215.14" });
});

test("only those who subscribed to the event get it, once an address", async () => {
  const { bench, webhooks } = await subscribed();
  await webhooks.register({ event: COMPLETE, url: "https://other.example/" });
  await webhooks.register({ event: "on_backup_created", url: "https://third.example/" });
  webhooks.start();
  bench.publish(webhooks);
  await until(() => bench.outbound.sent.length === 2 && webhooks.pending(10).length === 0);
  expect(bench.outbound.sent.map(({ url }) => url).toSorted()).toEqual([HOOK_URL, "https://other.example/"]);
});

test("an address gets its events in order over an outage, also those of different subscriptions", async () => {
  const { bench, webhooks } = await subscribed();
  await webhooks.register({ event: "on_cloud_sync_plan", url: HOOK_URL });
  bench.outbound.answer = () => DOWN;
  webhooks.start();
  const published = [bench.publish(webhooks), bench.publish(webhooks, "on_cloud_sync_plan"), bench.publish(webhooks)];
  await until(() => bench.outbound.sent.length === 1);
  await bench.pass(5);
  published.push(bench.publish(webhooks));
  bench.outbound.answer = () => OK;
  bench.outbound.sent.length = 0;
  await bench.pass(10);
  await until(() => webhooks.pending(10).length === 0);
  expect(bench.sentNumbers).toEqual(published);
});

test("one address that is down does not hold up another", async () => {
  const { bench, webhooks } = await subscribed();
  await webhooks.register({ event: COMPLETE, url: "https://down.example/" });
  bench.outbound.answer = ({ url }) => (url === HOOK_URL ? OK : DOWN);
  webhooks.start();
  bench.publish(webhooks);
  bench.publish(webhooks);
  await until(() => bench.outbound.sent.filter(({ url }) => url === HOOK_URL).length === 2);
  expect(webhooks.pending(10).map(({ url }) => url)).toEqual(["https://down.example/", "https://down.example/"]);
});

describe("failures", () => {
  test("rests double from a second to four hours, and the attempts end as configured in a dead letter", async () => {
    const { bench, webhooks } = await subscribed();
    bench.settings = { ...bench.settings, webhookAttemptsMax: 17 };
    bench.outbound.answer = () => DOWN;
    webhooks.start();
    bench.publish(webhooks);
    await until(() => bench.outbound.sent.length === 1);
    const rests: number[] = [];
    while (webhooks.deadLetters(1).length === 0) {
      const [next] = webhooks.list();
      const restMs = Date.parse(next?.next_attempt_at ?? "") - bench.clock.now();
      rests.push(restMs / 1000);
      const sent = bench.outbound.sent.length;
      await bench.clock.advanceAndSettle(restMs - 1);
      expect(bench.outbound.sent.length).toBe(sent);
      bench.clock.advance(1);
      await until(() => webhooks.attempts(100).length === sent + 1);
      // The loop sleeps again before time goes on.
      await bench.clock.advanceAndSettle(0);
    }
    expect(rests).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 14_400, 14_400]);
    expect(bench.outbound.sent.length).toBe(17);
    expect(webhooks.deadLetters(10)).toMatchObject([{ attempts: 17, reason: "attempts", url: HOOK_URL }]);
    expect(webhooks.pending(10)).toEqual([]);
    expect(bench.lines.filter(({ event }) => event === "webhook.dead")).toHaveLength(1);
  });

  test("jitter spreads a rest over all of its range", async () => {
    const { bench, webhooks } = await subscribed();
    bench.random = () => 0.25;
    bench.outbound.answer = () => DOWN;
    webhooks.start();
    bench.publish(webhooks);
    for (let attempts = 1; attempts <= 4; attempts++) {
      await until(() => webhooks.attempts(10).length === attempts);
      await bench.clock.advanceAndSettle(attempts === 4 ? 0 : 8_000);
    }
    const rest = Date.parse(webhooks.list()[0]?.next_attempt_at ?? "") - bench.clock.now();
    expect(rest).toBe(2_000);
  });

  test("security 21: each kind of failure is told in the log of attempts, and a redirect is one", async () => {
    const { bench, webhooks } = await subscribed();
    const answers: PostOutcome[] = [
      { status: 302, retryAfter: undefined },
      { status: 500, retryAfter: undefined },
      { failure: "tls" },
      { failure: "timeout" },
      { status: 204, retryAfter: undefined },
    ];
    bench.outbound.answer = () => answers.shift() ?? DOWN;
    webhooks.start();
    bench.publish(webhooks);
    for (let attempts = 1; attempts <= 5; attempts++) {
      await until(() => webhooks.attempts(10).length === attempts);
      await bench.clock.advanceAndSettle(0);
      await bench.clock.advanceAndSettle(10_000);
    }
    const told = webhooks.attempts(10).map(({ status, failure, ok }) => [status, failure, ok]);
    expect(told.toReversed()).toEqual([
      [302, "redirect", false],
      [500, "status", false],
      [null, "tls", false],
      [null, "timeout", false],
      [204, null, true],
    ]);
    // One message, one id: that is how a receiver knows doubles.
    expect(new Set(bench.outbound.sent.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
  });

  test("a receiver that asks for a longer rest gets it", async () => {
    const { bench, webhooks } = await subscribed();
    bench.outbound.answer = () => ({ status: 429, retryAfter: "120" });
    webhooks.start();
    bench.publish(webhooks);
    await until(() => webhooks.attempts(10).length === 1);
    expect(Date.parse(webhooks.list()[0]?.next_attempt_at ?? "") - bench.clock.now()).toBe(120_000);
  });

  test("after three days of outage all that waited so long become dead letters, and a redelivery sends them in their old order", async () => {
    const { bench, webhooks } = await subscribed();
    bench.outbound.answer = () => DOWN;
    webhooks.start();
    const published = [bench.publish(webhooks), bench.publish(webhooks), bench.publish(webhooks)];
    await until(() => webhooks.attempts(10).length === 1);
    await bench.clock.advanceAndSettle(3 * 24 * 3_600_000 + 1);
    await until(() => webhooks.deadLetters(10).length === 3);
    expect(webhooks.deadLetters(10).map(({ reason }) => reason)).toEqual(["expired", "expired", "expired"]);
    bench.outbound.answer = () => OK;
    bench.outbound.sent.length = 0;
    expect(webhooks.redeliver()).toBe(3);
    published.push(bench.publish(webhooks));
    await until(() => webhooks.pending(10).length === 0);
    expect(bench.sentNumbers).toEqual(published);
    expect(webhooks.deadLetters(10)).toEqual([]);
  });

  test("asking for everything again ends the rest of a receiver that is well again", async () => {
    const { bench, webhooks } = await subscribed();
    bench.outbound.answer = () => ({ status: 503, retryAfter: "3600" });
    webhooks.start();
    bench.publish(webhooks);
    await until(() => webhooks.attempts(10).length === 1);
    bench.outbound.answer = () => OK;
    expect(webhooks.redeliver()).toBe(0);
    await until(() => webhooks.pending(10).length === 0);
    expect(bench.sentNumbers).toEqual([1, 1]);
  });

  test("one dead letter is redelivered by its id, and an id of none is an error", async () => {
    const { bench, webhooks } = await subscribed();
    bench.settings = { ...bench.settings, webhookAttemptsMax: 1 };
    bench.outbound.answer = () => DOWN;
    webhooks.start();
    const first = bench.publish(webhooks);
    bench.publish(webhooks);
    await until(() => webhooks.attempts(10).length === 1);
    await bench.clock.advanceAndSettle(0);
    await bench.clock.advanceAndSettle(5_000);
    await until(() => webhooks.deadLetters(10).length === 2);
    const id = webhooks.deadLetters(10).at(-1)?.id ?? 0;
    bench.outbound.answer = () => OK;
    bench.outbound.sent.length = 0;
    expect(webhooks.redeliver([id])).toBe(1);
    await until(() => bench.sentNumbers.length === 1);
    expect(bench.sentNumbers).toEqual([first]);
    expect(() => webhooks.redeliver([id + 1_000])).toThrow(SyncError);
  });
});

test("security 21: a name that rebinds to a private address between registration and sending is not sent to", async () => {
  const { bench, webhooks } = await subscribed();
  const answers = [["93.184.215.14"], ["169.254.169.254"], ["93.184.215.14", "127.0.0.1"], ["::1"]];
  bench.outbound.resolve = () => answers.shift() ?? ["93.184.215.14"];
  await webhooks.register({ event: COMPLETE, url: "https://rebinds.example/" });
  await webhooks.remove({ event: COMPLETE, url: HOOK_URL });
  webhooks.start();
  bench.publish(webhooks);
  for (let attempts = 1; attempts <= 4; attempts++) {
    await until(() => webhooks.attempts(10).length === attempts);
    await bench.clock.advanceAndSettle(0);
    await bench.clock.advanceAndSettle(10_000);
  }
  expect(webhooks.attempts(10).map(({ failure }) => failure)).toEqual([
    null,
    "webhook_refused",
    "webhook_refused",
    "webhook_refused",
  ]);
  // Each attempt looks the name up once and connects to what it got: there is no second lookup to rebind.
  expect(bench.outbound.sent.map(({ address }) => address)).toEqual(["93.184.215.14"]);
  expect(bench.outbound.lookups.filter((host) => host === "rebinds.example")).toHaveLength(5);
});

test("security 21: an address that the studio's file holds and the policy forbids is never connected to", async () => {
  const bench = new WebhooksBench();
  const urls = [
    "http://127.0.0.1:9/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "file:///etc/passwd",
    "http://user:canary@public.example/",
  ];
  bench.writeFile(JSON.stringify(urls.map((url) => ({ event: COMPLETE, url, secret: "" }))));
  const webhooks = bench.open();
  webhooks.start();
  bench.publish(webhooks);
  await until(() => webhooks.attempts(10).length === 4);
  expect(bench.outbound.sent).toEqual([]);
  const failures = Object.fromEntries(webhooks.attempts(10).map(({ url, failure }) => [url, failure]));
  expect(failures).toEqual({
    "http://127.0.0.1:9/": "webhook_refused",
    "http://[64:ff9b::a9fe:a9fe]/": "webhook_refused",
    "file:///etc/passwd": "webhook_url",
    "http://[redacted]@public.example/": "webhook_url",
  });
  // What is no address at all does not become one by waiting.
  const dead = webhooks.deadLetters(10).map(({ url }) => url);
  expect(dead).toHaveLength(2);
  expect(dead).toContain("file:///etc/passwd");
  expect(dead).toContain("http://[redacted]@public.example/");
  expect(JSON.stringify([bench.lines, webhooks.list()])).not.toContain("canary");
});

test("a subscription that goes while its events wait turns them into dead letters; one that is deleted drops them", async () => {
  const { bench, webhooks } = await subscribed();
  await webhooks.register({ event: COMPLETE, url: "https://other.example/" });
  bench.publish(webhooks);
  expect(webhooks.pending(10)).toHaveLength(2);
  expect(await webhooks.remove({ event: COMPLETE, url: "https://other.example/" })).toBe(1);
  expect(webhooks.pending(10)).toHaveLength(1);
  bench.writeFile("[]");
  webhooks.start();
  await until(() => webhooks.deadLetters(10).length === 1);
  expect(webhooks.deadLetters(10)).toMatchObject([{ reason: "unsubscribed", url: null, attempts: 0 }]);
  expect(bench.outbound.sent).toEqual([]);
});

test("events that are published while the studio's file cannot be read wait, and go out first when it can", async () => {
  const { bench, webhooks } = await subscribed();
  const text = bench.readFile();
  bench.writeFile(text.slice(0, 20));
  const published = [bench.publish(webhooks), bench.publish(webhooks)];
  webhooks.start();
  bench.writeFile(text);
  published.push(bench.publish(webhooks));
  await until(() => bench.sentNumbers.length === 3);
  expect(bench.sentNumbers).toEqual(published);
  expect(bench.lines.filter(({ event }) => event === "webhook.held")).toHaveLength(1);
});

test("a queue that is damaged is said, never thrown away, and publishing goes on", async () => {
  const bench = new WebhooksBench();
  bench.writeFile(JSON.stringify([{ event: COMPLETE, url: HOOK_URL, secret: "" }]));
  const path = join(bench.root, "data/webhooks.sqlite");
  writeFileSync(path, "not a database".repeat(1_000));
  const webhooks = bench.open();
  webhooks.start();
  bench.publish(webhooks);
  expect(() => webhooks.list()).toThrow(/data\/webhooks\.sqlite/);
  await until(() => bench.lines.some(({ event }) => event === "webhook.trouble"));
  expect(bench.lines.map(({ event }) => event)).toContain("webhook.lost");
  expect(readFileSync(path, "utf8")).toStartWith("not a database");
});

test("a damaged config file postpones sending and costs no attempt", async () => {
  const { bench, webhooks } = await subscribed();
  bench.settingsError = new SyncError("config_malformed", "config/comfyvn.json is not valid JSON");
  bench.publish(webhooks);
  webhooks.start();
  await until(() => bench.lines.some(({ event }) => event === "webhook.trouble"));
  await bench.pass(3);
  expect(webhooks.attempts(10)).toEqual([]);
  bench.settingsError = undefined;
  await bench.pass(10);
  await until(() => bench.sentNumbers.length === 1);
  expect(bench.lines.filter(({ event }) => event === "webhook.trouble")).toHaveLength(1);
});

test("two processes of one workspace do not both send", async () => {
  const { bench, webhooks } = await subscribed();
  const other = bench.open();
  webhooks.start();
  bench.publish(webhooks);
  await until(() => bench.sentNumbers.length === 1);
  other.start();
  // Queued by the one, sent by the other, which polls.
  bench.publish(other);
  await bench.pass(2);
  await until(() => webhooks.pending(10).length === 0);
  expect(bench.sentNumbers).toEqual([1, 2]);
});

test("stopping calls off what is being sent, and it stays queued with no attempt spent", async () => {
  const { bench, webhooks } = await subscribed();
  bench.outbound.answer = (_, signal) =>
    new Promise((resolve) => signal?.addEventListener("abort", () => resolve({ failure: "aborted" })));
  webhooks.start();
  bench.publish(webhooks);
  await until(() => bench.outbound.sent.length === 1);
  await webhooks.stop(0);
  expect(webhooks.pending(10)).toMatchObject([{ attempts: 0 }]);
  expect(webhooks.attempts(10)).toEqual([]);
});

test("a process that ends soon sends what is due and leaves the rest", async () => {
  const { bench, webhooks } = await subscribed();
  await webhooks.register({ event: COMPLETE, url: "https://down.example/" });
  bench.outbound.answer = ({ url }) => (url === HOOK_URL ? OK : DOWN);
  bench.publish(webhooks);
  await webhooks.drain(5_000);
  expect(webhooks.pending(10)).toMatchObject([{ url: "https://down.example/", attempts: 1 }]);
  expect(bench.outbound.sent).toHaveLength(2);
});

test("a workspace without webhooks is left as it is", async () => {
  const bench = new WebhooksBench();
  const webhooks = bench.open();
  webhooks.start();
  bench.publish(webhooks);
  await bench.pass(2);
  expect(readdirSync(bench.root, { recursive: true })).toEqual(["data"]);
});
