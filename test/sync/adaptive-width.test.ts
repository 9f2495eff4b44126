import { expect, test } from "bun:test";
import { AdaptiveWidth } from "../../src/sync/adaptive-width.ts";
import { ManualClock } from "../support/manual-clock.ts";

const BOUNDS = { min: 2, start: 16, max: 128 };

/**
 * A far side that serves `capacity` requests at once in `latencyMs` each; more only wait. Runs the width against it for
 * `windows` windows and gives the widths it had.
 */
function simulate(
  width: AdaptiveWidth,
  clock: ManualClock,
  capacity: number,
  latencyMs: number,
  windows: number,
): number[] {
  const widths: number[] = [];
  for (let window = 0; window < windows; window++) {
    const served = Math.min(width.width, capacity);
    const requests = Math.max(2 * width.width, Math.ceil((served * 500) / latencyMs));
    const stepMs = latencyMs / served;
    for (let i = 0; i < requests; i++) {
      clock.advance(stepMs);
      width.finished();
    }
    widths.push(width.width);
  }
  return widths;
}

test("a far side with room is given more, up to the bound", () => {
  const clock = new ManualClock(0);
  const width = new AdaptiveWidth(BOUNDS, clock);
  expect(simulate(width, clock, 1_000, 50, 60).at(-1)).toBeGreaterThan(96);
});

test("a far side that only queues what is too much is not given ever more", () => {
  const clock = new ManualClock(0);
  const width = new AdaptiveWidth(BOUNDS, clock);
  const widths = simulate(width, clock, 24, 50, 200);
  const settled = widths.slice(100);
  expect(Math.max(...settled)).toBeLessThan(64);
  expect(Math.min(...settled)).toBeGreaterThan(12);
});

test("a far side that grows slow is given less, and more again when it has recovered", () => {
  const clock = new ManualClock(0);
  const width = new AdaptiveWidth(BOUNDS, clock);
  simulate(width, clock, 100, 50, 100);
  const before = width.width;
  width.strained();
  expect(width.width).toBe(Math.floor(before / 2));
  expect(simulate(width, clock, 100, 50, 100).at(-1)).toBeGreaterThan(before / 2);
});

test("a burst of complaints is one complaint, and the width never falls below its bound", () => {
  const clock = new ManualClock(0);
  const width = new AdaptiveWidth(BOUNDS, clock);
  clock.advance(1_000);
  for (let i = 0; i < 50; i++) width.strained();
  expect(width.width).toBe(8);
  for (let i = 0; i < 50; i++) {
    clock.advance(1_000);
    width.strained();
  }
  expect(width.width).toBe(2);
});
