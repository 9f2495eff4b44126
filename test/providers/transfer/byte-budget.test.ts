import { expect, test } from "bun:test";
import { ByteBudget } from "../../../src/providers/transfer/byte-budget.ts";

/** Lets everything that can go on go on. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

function claimed(budget: ByteBudget, bytes: number, signal?: AbortSignal) {
  const claim = { release: undefined as (() => void) | undefined, failed: undefined as unknown };
  budget.claim(bytes, signal).then(
    (release) => (claim.release = release),
    (error: unknown) => (claim.failed = error),
  );
  return claim;
}

test("what is over the budget waits until enough is given back", async () => {
  const budget = new ByteBudget(10);
  const first = claimed(budget, 6);
  const second = claimed(budget, 6);
  await settled();
  expect([first.release !== undefined, second.release !== undefined]).toEqual([true, false]);
  first.release?.();
  await settled();
  expect(second.release).toBeDefined();
});

test("a large claim is not passed by for ever by small ones", async () => {
  const budget = new ByteBudget(10);
  const held = claimed(budget, 5);
  const large = claimed(budget, 10);
  const small = claimed(budget, 1);
  await settled();
  expect([large.release, small.release]).toEqual([undefined, undefined]);
  held.release?.();
  await settled();
  expect([large.release !== undefined, small.release !== undefined]).toEqual([true, false]);
});

test("a claim over the whole budget is let in alone, not never", async () => {
  const budget = new ByteBudget(10);
  const huge = claimed(budget, 1_000);
  const other = claimed(budget, 1);
  await settled();
  expect([huge.release !== undefined, other.release !== undefined]).toEqual([true, false]);
});

test("giving back twice gives back once", async () => {
  const budget = new ByteBudget(10);
  const first = claimed(budget, 10);
  await settled();
  first.release?.();
  first.release?.();
  const second = claimed(budget, 10);
  const third = claimed(budget, 10);
  await settled();
  expect([second.release !== undefined, third.release !== undefined]).toEqual([true, false]);
});

test("an aborted claim leaves the queue and holds up nobody", async () => {
  const budget = new ByteBudget(10);
  const held = claimed(budget, 8);
  const controller = new AbortController();
  const aborted = claimed(budget, 10, controller.signal);
  const small = claimed(budget, 2);
  controller.abort();
  await settled();
  expect(aborted.failed).toMatchObject({ code: "aborted" });
  expect(small.release).toBeDefined();
  held.release?.();
});
