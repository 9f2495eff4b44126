/**
 * Subscribers in a process of their own: `bun subscribers-worker.ts PORT HEALTHY SILENT`. Says `ready`, takes the number of
 * events that each healthy one should get as a line on stdin, and says the figures as JSON.
 */
import { CountingSubscribers } from "./counting-subscribers.ts";

/** Long after the last event: who has not got it by then has lost it. */
const LATE_MS_MAX = 60_000;

const [port, healthy, silent] = process.argv.slice(2).map(Number);
const subscribers = await CountingSubscribers.connect(port ?? 0, healthy ?? 0, silent ?? 0);
console.log("ready");
for await (const line of console) {
  await Promise.race([subscribers.got(Number(line)), Bun.sleep(LATE_MS_MAX)]);
  const { figures } = subscribers;
  const ends = await Promise.race([subscribers.endOfSilent(), Bun.sleep(LATE_MS_MAX).then(() => [])]);
  console.log(JSON.stringify({ ...figures, ends }));
  process.exit(0);
}
