import { expect, test } from "bun:test";
import { topicsOf } from "../../src/hooks/catalogue.ts";
import { openEventStream } from "../../src/hooks/event-stream.ts";
import { createHookRig, type HookRig } from "./hook-rig.ts";

function open(rig: HookRig, lastEventId?: string) {
  const reader = openEventStream(rig.feed, { topics: topicsOf([]), lastEventId }).getReader();
  const next = async () => new TextDecoder().decode((await reader.read()).value);
  return { reader, next };
}

/** Lets the stream ask for more. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

const idsOf = (text: string) => [...text.matchAll(/^id: (.*)\ndata:/gm)].map(([, id]) => id);

test("security 25: a reader that does not read costs no memory and is told that it was too slow when it reads again", async () => {
  const rig = createHookRig();
  const { next, reader } = open(rig);
  expect(await next()).toContain(": connected");
  for (let i = 0; i < 300; i++) {
    rig.publish(5);
    rig.timers.advance(10);
  }
  const rest = await next();
  expect(rest).toBe('event: dropped\ndata: {"reason":"too slow: events were missed"}\n\n');
  expect((await reader.read()).done).toBe(true);
});

test("a reader that pauses for less gets everything once, in parts", async () => {
  const rig = createHookRig();
  const { next } = open(rig);
  await next();
  rig.publish(900);
  rig.timers.advance(1_000);
  let ids: (string | undefined)[] = [];
  let parts = 0;
  for (; ids.length < 900; parts++) ids = [...ids, ...idsOf(await next())];
  expect(ids).toEqual(Array.from({ length: 900 }, (_, i) => `e-${i + 1}`));
  expect(parts).toBeGreaterThanOrEqual(1);
});

test("an event that comes while the reader waits is sent at once; idle time is filled with comments", async () => {
  const rig = createHookRig();
  const { next } = open(rig);
  await next();
  const first = next();
  await settled();
  rig.publish(1);
  rig.timers.advance(0);
  expect(idsOf(await first)).toEqual(["e-1"]);
  const second = next();
  await settled();
  rig.timers.advance(17_000);
  expect(await second).toBe(": keepalive\n\n");
});

test("a reader whose place is partly forgotten hears of the gap first, then all that is kept", async () => {
  const rig = createHookRig();
  rig.publish(1, "on_backup_created");
  rig.publish(1_200, "on_cloud_sync_progress");
  const { next } = open(rig, "e-1");
  expect(await next()).toMatch(/event: gap\ndata: \{"reason":".*"\}\n\n$/);
  let ids: (string | undefined)[] = [];
  while (ids.length < 1_000) ids = [...ids, ...idsOf(await next())];
  expect(ids).toEqual(Array.from({ length: 1_000 }, (_, i) => `e-${i + 202}`));
});

test("a reader that is known nowhere is sent all that is kept, the oldest of another topic too", async () => {
  const rig = createHookRig();
  rig.publish(1, "on_backup_created");
  rig.publish(1_200, "on_cloud_sync_progress");
  const { next } = open(rig, "forgotten-9");
  expect(await next()).toContain("event: gap");
  expect(idsOf(await next())[0]).toBe("e-1");
});

test("a reader that went away is taken off", async () => {
  const rig = createHookRig();
  const { reader, next } = open(rig);
  await next();
  const pending = reader.read();
  await reader.cancel();
  rig.publish(1);
  rig.timers.advance(60_000);
  expect((await pending).done).toBe(true);
  expect(rig.errors).toEqual([]);
});
