import { expect, test } from "bun:test";
import { connectHookSocket } from "../../src/hooks/socket-session.ts";
import { createHookRig, FakeSocket, type HookRig } from "./hook-rig.ts";

function subscribe(rig: HookRig, first = "{}") {
  const socket = new FakeSocket();
  const listener = connectHookSocket(rig.feed, socket);
  listener.message(first);
  socket.sent.length = 0;
  return { socket, listener };
}

const numbersOf = (socket: FakeSocket) => socket.sent.map((message) => (message as { data: { n: number } }).data.n);
const upTo = (count: number, from = 1) => Array.from({ length: count }, (_, i) => i + from);

test("a reader gets what is published after its subscription and nothing from before", () => {
  const rig = createHookRig();
  rig.publish(3);
  const { socket } = subscribe(rig);
  rig.publish(2);
  rig.timers.advance(0);
  expect(numbersOf(socket)).toEqual([4, 5]);
});

test("events of other topics are not sent", () => {
  const rig = createHookRig();
  const { socket } = subscribe(rig, '{"topics": ["on_backup_created"]}');
  rig.publish(2);
  rig.publish(1, "on_backup_created");
  rig.publish(1);
  rig.timers.advance(100);
  expect(numbersOf(socket)).toEqual([3]);
});

test("a reader that is behind is sent the rest when it reads again, each event once", () => {
  const rig = createHookRig();
  const { socket } = subscribe(rig);
  socket.stuck = true;
  rig.publish(1);
  rig.timers.advance(0);
  rig.publish(500);
  rig.timers.advance(5_000);
  expect(numbersOf(socket)).toEqual([1]);
  socket.stuck = false;
  rig.timers.advance(100);
  expect(numbersOf(socket)).toEqual(upTo(501));
});

test("security 25: a reader that never reads costs one batch and is dropped with the reason when it misses an event", () => {
  const rig = createHookRig();
  const slow = subscribe(rig);
  const healthy = subscribe(rig);
  slow.socket.stuck = true;
  for (let i = 0; i < 300; i++) {
    rig.publish(5);
    rig.timers.advance(10);
  }
  expect(slow.socket.sent.length).toBeLessThan(10);
  expect(slow.socket.closedWith).toEqual({ code: 1013, reason: expect.stringContaining("too slow") });
  expect(numbersOf(healthy.socket)).toEqual(upTo(1500));
  expect(healthy.socket.closedWith).toBeUndefined();
});

test("a connection that takes nothing is dropped though little happens, and cut when it does not answer", () => {
  const rig = createHookRig();
  const { socket } = subscribe(rig);
  socket.stuck = true;
  rig.publish(1);
  rig.timers.advance(29_000);
  expect(socket.closedWith).toBeUndefined();
  rig.timers.advance(5_000);
  expect(socket.closedWith).toEqual({ code: 1013, reason: "too slow: nothing was read" });
  expect(socket.terminated).toBe(false);
  rig.timers.advance(7_000);
  expect(socket.terminated).toBe(true);
});

test("a ping comes after 20 idle seconds, and again after 20 more", () => {
  const rig = createHookRig();
  const { socket } = subscribe(rig);
  rig.timers.advance(10_000);
  rig.publish(1);
  rig.timers.advance(19_000);
  expect(socket.sent).toHaveLength(1);
  rig.timers.advance(2_000);
  expect(socket.sent.slice(1)).toEqual([{ ping: true }]);
  rig.timers.advance(21_000);
  expect(socket.sent.slice(1)).toEqual([{ ping: true }, { ping: true }]);
});

test("whoever never subscribes is not kept", () => {
  const rig = createHookRig();
  const socket = new FakeSocket();
  connectHookSocket(rig.feed, socket);
  rig.timers.advance(30_000);
  expect(socket.sent).toEqual([{ ok: false, error: "no subscription came" }]);
  expect(socket.closedWith?.code).toBe(1008);
});

test("a second message changes nothing", () => {
  const rig = createHookRig();
  const { socket, listener } = subscribe(rig, '{"topics": ["on_backup_created"]}');
  listener.message("{}");
  listener.message(undefined);
  rig.publish(1);
  rig.timers.advance(0);
  expect(socket.sent).toEqual([]);
  expect(socket.closedWith).toBeUndefined();
});

test("one subscriber too many is refused, and there is room again when one leaves", () => {
  const rig = createHookRig();
  const listeners = Array.from({ length: 4096 }, () => subscribe(rig).listener);
  const refused = new FakeSocket();
  connectHookSocket(rig.feed, refused);
  expect(refused.sent).toEqual([{ ok: false, error: expect.stringContaining("4096 subscribers") }]);
  listeners[0]?.closed();
  const { socket } = subscribe(rig);
  rig.publish(1);
  rig.timers.advance(0);
  expect(numbersOf(socket)).toEqual([1]);
});
