import { expect, test } from "bun:test";
import { createPacer } from "../../src/core/pacer.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const RATE = 5_000_000;

test("what many senders at once send in ten seconds is the rate, within 1 %", async () => {
  const clock = new VirtualClock();
  const pacer = createPacer(RATE, clock);
  let sent = 0;
  const sender = async (chunk: number) => {
    while (clock.now() < 10_000) {
      await pacer.take(chunk);
      if (clock.now() <= 10_000) sent += chunk;
    }
  };
  await Promise.all([sender(65_536), sender(10_000), sender(1), sender(65_536)]);
  expect(Math.abs(sent / (RATE * 10) - 1)).toBeLessThan(0.01);
});

test("a sender that is held up for a fifth of a second now and then loses no rate", async () => {
  const clock = new VirtualClock();
  const pacer = createPacer(RATE, clock);
  let sent = 0;
  for (let chunks = 1; clock.now() < 10_000; chunks++) {
    await pacer.take(65_536);
    sent += 65_536;
    if (chunks % 80 === 0) await clock.sleep(200);
  }
  expect(Math.abs(sent / (RATE * 10) - 1)).toBeLessThan(0.05);
});

test("a long pause is not saved up for a burst", async () => {
  const clock = new VirtualClock();
  const pacer = createPacer(RATE, clock);
  await clock.sleep(60_000);
  const start = clock.now();
  for (let sent = 0; sent < RATE; sent += 50_000) await pacer.take(50_000);
  expect(clock.now() - start).toBeGreaterThan(700);
});

test("an abort ends a wait at once", async () => {
  const clock = new VirtualClock();
  const pacer = createPacer(1, clock);
  await expect(pacer.take(1_000_000, AbortSignal.abort())).rejects.toThrow("cancelled");
});
