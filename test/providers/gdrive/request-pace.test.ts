import { expect, test } from "bun:test";
import type { Clock } from "../../../src/core/clock.ts";
import { RequestPace } from "../../../src/providers/gdrive/request-pace.ts";

/** Time that passes by sleeping alone. */
function sleepingClock(): Clock & { nowMs: number } {
  const clock = {
    nowMs: 1_000_000,
    now: () => clock.nowMs,
    sleep: async (ms: number) => void (clock.nowMs += ms),
  };
  return clock;
}

/** Milliseconds that so many requests one after the other take, all answered. */
async function timeOf(pace: RequestPace, clock: Clock, requests: number): Promise<number> {
  const start = clock.now();
  for (let n = 0; n < requests; n++) {
    await pace.turn(undefined);
    pace.answered();
  }
  return clock.now() - start;
}

test("nobody waits while Drive does not complain", async () => {
  const clock = sleepingClock();
  expect(await timeOf(new RequestPace(clock), clock, 1_000)).toBe(0);
});

test("a complaint spaces requests out, further ones more, and successes bring back full speed", async () => {
  const clock = sleepingClock();
  const pace = new RequestPace(clock);
  pace.complained();
  const once = await timeOf(pace, clock, 10);
  expect(once).toBeGreaterThan(0);
  for (let n = 0; n < 4; n++) {
    pace.complained();
    await clock.sleep(2_000);
  }
  expect(await timeOf(pace, clock, 10)).toBeGreaterThan(2 * once);
  await timeOf(pace, clock, 200);
  expect(await timeOf(pace, clock, 100)).toBe(0);
});

test("complaints about requests that were under way together count once", () => {
  const clock = sleepingClock();
  const [one, many] = [new RequestPace(clock), new RequestPace(clock)];
  one.complained();
  for (let n = 0; n < 30; n++) many.complained();
  expect(many.gapMs).toBe(one.gapMs);
});
