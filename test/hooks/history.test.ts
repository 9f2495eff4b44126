import { describe, expect, test } from "bun:test";
import { topicsOf } from "../../src/hooks/catalogue.ts";
import { HookHistory } from "../../src/hooks/history.ts";
import { createHookRig } from "./hook-rig.ts";

const ALL = topicsOf([]);
const CREATED = topicsOf(["on_backup_created"]);

test("the progress of a long run does not push out what else happened", () => {
  const { history, publish } = createHookRig();
  publish(1, "on_cloud_sync_plan");
  publish(5_000, "on_cloud_sync_progress");
  publish(1, "on_cloud_sync_complete");
  const names = history.latest(10_000).map(({ envelope }) => envelope.event);
  expect(names).toHaveLength(1_002);
  expect([names[0], names.at(-1)]).toEqual(["on_cloud_sync_plan", "on_cloud_sync_complete"]);
});

test("no more is kept than the bytes allow", () => {
  const history = new HookHistory(1_000);
  const json = JSON.stringify({ event: "on_backup_created", ts: 0, data: { name: "x".repeat(300) } });
  for (let seq = 1; seq <= 10; seq++) {
    history.add({ id: `e-${seq}`, seq, envelope: { event: "on_backup_created", ts: 0, data: {} }, json });
  }
  expect(history.latest(100).map(({ seq }) => seq)).toEqual([9, 10].slice(-Math.floor(1_000 / json.length)));
});

describe("what a reader has yet to see", () => {
  test("comes in parts that join without a gap or a double", () => {
    const { history, publish } = createHookRig();
    publish(700);
    const seen: number[] = [];
    let position = 0;
    for (let more = true; more; ) {
      const batch = history.after(position, ALL, 2_000);
      expect(batch.items.length).toBeGreaterThan(0);
      seen.push(...batch.items.map(({ seq }) => seq));
      ({ position, more } = batch);
    }
    expect(seen).toEqual(Array.from({ length: 700 }, (_, i) => i + 1));
    expect(position).toBe(history.end);
  });

  test("is missed only by readers of the event that is gone", () => {
    const { history, publish } = createHookRig();
    publish(1, "on_backup_created");
    publish(1_500, "on_cloud_sync_progress");
    expect(history.misses(1, ALL)).toBe(true);
    expect(history.misses(1, CREATED)).toBe(false);
    expect(history.misses(501, ALL)).toBe(false);
    expect(history.misses(500, ALL)).toBe(true);
  });
});

describe("an id", () => {
  test("stands for the place of its event", () => {
    const { history, publish } = createHookRig();
    const [, second] = publish(3);
    expect(history.positionOf(second?.id ?? "")).toBe(2);
    expect(history.positionOf(history.endId)).toBe(3);
  });

  test("that was given out before the first event stands for the beginning", () => {
    const { history, publish } = createHookRig();
    const { endId } = history;
    publish(2);
    expect(history.positionOf(endId)).toBe(0);
  });

  test.each(["", "x", "e", "e-", "e-x", "-1", "e-1-2", "other-1", "E-1", `e-${"9".repeat(30)}`])(
    "%p, which this history never gave out, stands for nothing",
    (id) => {
      const { history, publish } = createHookRig();
      publish(2);
      expect(history.positionOf(id)).toBeUndefined();
    },
  );
});
