import { expect, test } from "bun:test";
import type { Hook } from "../../src/hooks/hook-of-event.ts";
import { ProgressThrottle } from "../../src/hooks/progress-throttle.ts";
import { ManualTimers } from "./manual-timers.ts";

const sync = { service: "s3", snapshot: "nightly", timestamp: 0 };
const progress = (done: number, snapshot = "nightly"): Hook => ({
  name: "on_cloud_sync_progress",
  data: { ...sync, snapshot, phase: "upload", files_done: done, files_total: 9999, bytes_done: 0, bytes_total: 0 },
});
const complete: Hook = {
  name: "on_cloud_sync_complete",
  data: { ...sync, uploads: 0, deletes: 0, skipped: 0, status: "aborted" },
};

function rig() {
  const timers = new ManualTimers();
  const published: { readonly atMs: number; readonly hook: Hook }[] = [];
  const throttle = new ProgressThrottle((hook) => published.push({ atMs: timers.nowMs(), hook }), timers);
  return { timers, published, throttle };
}

test("no second has more than five, the end of the run included, and the last one comes before the end", () => {
  const { timers, published, throttle } = rig();
  for (let done = 1; done <= 2_950; done++) {
    throttle.offer(progress(done));
    timers.advance(1);
  }
  throttle.offer(complete);
  const times = published.filter(({ hook }) => hook.name === "on_cloud_sync_progress").map(({ atMs }) => atMs);
  for (const from of times) {
    expect(times.filter((atMs) => atMs >= from && atMs < from + 1_000).length).toBeLessThanOrEqual(5);
  }
  expect(times.length).toBeGreaterThan(10);
  expect(published.slice(-2).map(({ hook }) => hook)).toEqual([progress(2_950), complete]);
});

test("what was held back is told though nothing follows", () => {
  const { timers, published, throttle } = rig();
  throttle.offer(progress(1));
  throttle.offer(progress(2));
  throttle.offer(progress(3));
  timers.advance(60_000);
  expect(published.map(({ hook }) => hook)).toEqual([progress(1), progress(3)]);
});

test("two runs side by side keep to five a second together, and both are told of", () => {
  const { timers, published, throttle } = rig();
  for (let done = 1; done <= 1_000; done++) {
    throttle.offer(progress(done, "a"));
    throttle.offer(progress(done, "b"));
    timers.advance(1);
  }
  expect(published.length).toBeLessThanOrEqual(5);
  const told = new Set(published.map(({ hook }) => ("snapshot" in hook.data ? hook.data.snapshot : "")));
  expect([...told].toSorted()).toEqual(["a", "b"]);
});

test("nothing held is told after the end of its run", () => {
  const { timers, published, throttle } = rig();
  throttle.offer(progress(1));
  throttle.offer(progress(2));
  throttle.offer(complete);
  timers.advance(60_000);
  expect(published.at(-1)?.hook).toEqual(complete);
});
