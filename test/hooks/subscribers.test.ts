import { expect, test } from "bun:test";
import { startServer } from "../../src/server/server.ts";
import { createWorkspace } from "../support/workspace.ts";
import { BALLAST, COUNTED, CountingSubscribers } from "./counting-subscribers.ts";

const BALLAST_NAME = "x".repeat(2_000);
/** More than the network of this machine holds for one connection, and then what the history keeps of one event. */
const EVENTS = 4_000;
const AT_A_TIME = 500;

test("subscribers that never read are dropped with a reason; the others get every event, and memory stays", async () => {
  const app = await (await createWorkspace()).app();
  const server = await startServer(app, { host: "127.0.0.1", port: 0, token: undefined });
  const subscribers = await CountingSubscribers.connect(server.port, 40, 4);
  try {
    let before = Number.POSITIVE_INFINITY;
    for (let n = 1; n <= EVENTS; n++) {
      app.hooks.test(BALLAST, { name: BALLAST_NAME });
      app.hooks.test(COUNTED, { restored: n });
      // In step with the healthy ones: the verdict does not depend on how fast this machine is.
      if (n % AT_A_TIME === 0) await subscribers.got(n);
      // What the first ones take is the runtime's: how much depends on what this process has done before.
      if (n === AT_A_TIME) before = process.memoryUsage.rss();
    }
    await subscribers.got(EVENTS);
    expect(subscribers.figures).toEqual({ fewest: EVENTS, most: EVENTS, outOfTurn: 0, lost: 0 });
    expect((process.memoryUsage.rss() - before) / 1024 / 1024).toBeLessThan(100);
    const ends = await subscribers.endOfSilent();
    expect(
      ends.map(({ code, reason }) => (code === 0 ? "cut off" : reason)).filter((end) => !end.includes("too slow")),
    ).toEqual([]);
  } finally {
    subscribers.close();
    await server.stop(0);
    app.close();
  }
});
