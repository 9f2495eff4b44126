/**
 * A thousand subscribers, ten of which never read, 200 events a second for 30 seconds, and runs beside it:
 *
 *   bun test/hooks/soak-subscribers.ts [--subscribers N] [--silent N] [--rate N] [--seconds N]
 *
 * Prints its figures; ends with status 1 when a subscriber misses an event, memory grows by 100 MB, or runs are more
 * than 10 % slower than alone.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { App } from "../../src/app.ts";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import { startServer } from "../../src/server/server.ts";
import { BALLAST, COUNTED, type SubscriberFigures } from "./counting-subscribers.ts";

interface Figures extends SubscriberFigures {
  readonly ends: readonly { readonly code: number; readonly reason: string }[];
}

const MEGABYTE = 1024 * 1024;
const FILES = 400;
const BALLAST_NAME = "x".repeat(8_000);
/** Counted events for one of ballast. */
const BALLAST_EVERY = 4;
/** Beside events, then alone as often, and so on: both kinds see the same machine. Medians are compared. */
const ROUNDS = 3;

const { values } = parseArgs({
  options: {
    subscribers: { type: "string", default: "1000" },
    silent: { type: "string", default: "10" },
    rate: { type: "string", default: "200" },
    seconds: { type: "string", default: "30" },
  },
});
const { subscribers, silent, rate, seconds } = {
  subscribers: Number(values.subscribers),
  silent: Number(values.silent),
  rate: Number(values.rate),
  seconds: Number(values.seconds),
};

const folder = mkdtempSync(join(tmpdir(), "comfyvn-soak-"));
const root = join(folder, "workspace");
const destination = join(folder, "mirror");
mkdirSync(join(root, "assets"), { recursive: true });
mkdirSync(join(root, "config"));
mkdirSync(destination);
for (let i = 0; i < FILES; i++) writeFileSync(join(root, "assets", `${i}.bin`), Buffer.alloc(65_536, `file ${i} `));
writeFileSync(
  join(root, "config/comfyvn.json"),
  JSON.stringify({
    features: { enable_cloud_sync: true, enable_cloud_sync_local: true },
    sync: { local: { path: destination } },
  }),
);

const app = await App.open({ platform: bunPlatform(), root, passphrase: () => undefined, complain: console.error });
const server = await startServer(app, { host: "127.0.0.1", port: 0, token: undefined });
const rssBefore = process.memoryUsage.rss();
const worker = Bun.spawn(
  [process.execPath, resolve(import.meta.dir, "subscribers-worker.ts"), server.port, subscribers - silent, silent].map(
    String,
  ),
  { stdin: "pipe", stdout: "pipe", stderr: "inherit" },
);
const said = linesOf(worker.stdout);
try {
  if ((await said.next()).value !== "ready") throw new Error("the subscribers did not connect");
  process.exitCode = await soak();
} finally {
  worker.kill("SIGKILL");
  await server.stop(0);
  app.close();
  rmSync(folder, { recursive: true, force: true });
}
process.exit();

async function soak(): Promise<number> {
  let rssMax = 0;
  const watch = setInterval(() => {
    rssMax = Math.max(rssMax, process.memoryUsage.rss());
  }, 100);
  await timedRun();
  const alone: number[] = [];
  const beside: number[] = [];
  let sent = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const publishing = publish(sent, (rate * seconds) / ROUNDS);
    const untilMs = performance.now() + (seconds * 1000) / ROUNDS;
    while (performance.now() < untilMs) beside.push(await timedRun());
    sent = await publishing;
    while (alone.length < beside.length) alone.push(await timedRun());
  }
  await worker.stdin.write(`${sent}\n`);
  await worker.stdin.flush();
  const figures = JSON.parse(String((await said.next()).value)) as Figures;
  clearInterval(watch);
  const grown = (rssMax - rssBefore) / MEGABYTE;
  const slower = median(beside) / median(alone) - 1;
  const tooSlow = figures.ends.filter(({ code, reason }) => code === 0 || reason.startsWith("too slow")).length;
  console.log(
    JSON.stringify(
      {
        subscribers,
        silent,
        events: sent,
        seconds,
        healthy: { fewest: figures.fewest, most: figures.most, outOfTurn: figures.outOfTurn, lost: figures.lost },
        silentDropped: tooSlow,
        memoryGrownMb: Math.round(grown),
        runs: beside.length,
        runMsAlone: Math.round(median(alone)),
        runMsBeside: Math.round(median(beside)),
        // Others on the machine make both kinds of runs slower, and those beside subscribers more.
        machineLoad: Math.round(loadavg()[0] ?? 0),
        slowerPercent: Math.round(slower * 1000) / 10,
      },
      null,
      2,
    ),
  );
  const complete = figures.fewest === sent && figures.most === sent && figures.outOfTurn === 0 && figures.lost === 0;
  return complete && grown < 100 && slower <= 0.1 ? 0 : 1;
}

/** `rate` counted events a second, however long each takes; returns the number of the last one. */
async function publish(from: number, count: number): Promise<number> {
  const startedMs = performance.now();
  for (let n = 1; n <= count; n++) {
    const dueMs = startedMs + (n * 1000) / rate;
    if (dueMs > performance.now()) await Bun.sleep(dueMs - performance.now());
    app.hooks.test(COUNTED, { restored: from + n });
    if (n % BALLAST_EVERY === 0) app.hooks.test(BALLAST, { name: BALLAST_NAME });
  }
  return from + count;
}

/** One whole run to a snapshot of its own; milliseconds. */
async function timedRun(): Promise<number> {
  const snapshot = `s${Math.random().toString(36).slice(2)}`;
  const startedMs = performance.now();
  const { summary } = await app.run({ service: "local", snapshot, paths: ["assets"] });
  if (summary.status !== "ok" || summary.uploads.length !== FILES) throw new Error(`the run was ${summary.status}`);
  return performance.now() - startedMs;
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, void, undefined> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
