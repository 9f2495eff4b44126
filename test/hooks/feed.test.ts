import { expect, test } from "bun:test";
import type { FeedReader } from "../../src/hooks/feed.ts";
import { createHookRig } from "./hook-rig.ts";

const reader = (flush: () => boolean): FeedReader => ({ flush, end: () => undefined });

test("sending takes at most a twentieth of the time, however much is published", () => {
  const rig = createHookRig();
  let flushes = 0;
  const slow = reader(() => {
    rig.timers.spend(8);
    flushes++;
    return false;
  });
  rig.feed.add(slow);
  for (let ms = 0; ms < 8_000; ms++) {
    rig.publish(1);
    rig.timers.advance(1);
  }
  const busyMs = flushes * 8;
  expect(flushes).toBeGreaterThan(10);
  expect(busyMs / rig.timers.nowMs()).toBeLessThanOrEqual(0.055);
});

test("a reader that throws is taken off; the others go on", () => {
  const rig = createHookRig();
  let heard = 0;
  rig.feed.add(
    reader(() => {
      throw new Error("broken reader");
    }),
  );
  rig.feed.add(reader(() => ++heard < 0));
  rig.publish(1);
  rig.timers.advance(100);
  rig.publish(1);
  rig.timers.advance(100);
  expect(heard).toBeGreaterThanOrEqual(2);
  expect(rig.errors).toEqual([new Error("broken reader")]);
});

test("a reader that throws does not wait for ever on a connection that nothing is sent over", () => {
  const rig = createHookRig();
  const ended: string[] = [];
  const broken = reader(() => {
    throw new Error("broken reader");
  });
  rig.feed.add({ ...broken, end: (reason) => ended.push(reason) });
  rig.publish(1);
  rig.timers.advance(100);
  expect(ended).toEqual(["the server could not send"]);
});

test("a connection that cannot be told of the end keeps no other from being told", () => {
  const rig = createHookRig();
  const ended: string[] = [];
  const broken = () => {
    throw new Error("broken connection");
  };
  rig.feed.add({ flush: () => false, end: broken });
  rig.feed.add({ flush: () => false, end: (reason) => ended.push(reason) });
  rig.feed.close();
  expect(ended).toEqual(["the server is stopping"]);
  expect(rig.errors).toEqual([new Error("broken connection")]);
});

test("after the end of the feed nobody comes in and nothing is timed", () => {
  const rig = createHookRig();
  const ended: string[] = [];
  rig.feed.add({ flush: () => false, end: (reason) => ended.push(reason) });
  rig.feed.close();
  expect(ended).toEqual(["the server is stopping"]);
  expect(() => rig.feed.add(reader(() => false))).toThrow();
});
