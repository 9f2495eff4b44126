import { expect, test } from "bun:test";
import { HookBus, type HookItem } from "../../src/hooks/bus.ts";

const DATA = { name: "a.zip", restored: 1, skipped: 0, timestamp: 1 };

function newBus(errors: unknown[] = []): HookBus {
  return new HookBus({ now: () => 1500, epoch: "e", onListenerError: (error) => errors.push(error) });
}

test("a listener that throws keeps the event neither from the others nor from the run", () => {
  const errors: unknown[] = [];
  const heard: HookItem[] = [];
  const bus = newBus(errors);
  bus.subscribe(() => {
    throw new Error("broken listener");
  });
  bus.subscribe((item) => heard.push(item));
  bus.publish("on_backup_restored", DATA);
  expect(heard.map((item) => item.id)).toEqual(["e-1"]);
  expect(errors).toEqual([new Error("broken listener")]);
});

test("a subscription that has ended hears nothing more", () => {
  const heard: HookItem[] = [];
  const bus = newBus();
  const end = bus.subscribe((item) => heard.push(item));
  bus.publish("on_backup_restored", DATA);
  end();
  bus.publish("on_backup_restored", DATA);
  expect(heard).toHaveLength(1);
});

test("the JSON of an envelope is ASCII and parses to the envelope", () => {
  const { json, envelope } = newBus().publish("on_backup_restored", { ...DATA, name: "雪-é-😀.zip" });
  expect(json).toMatch(/^[\x20-\x7e]+$/);
  expect(JSON.parse(json)).toEqual(envelope);
  expect(envelope).toEqual({ event: "on_backup_restored", ts: 1.5, data: { ...DATA, name: "雪-é-😀.zip" } });
});
