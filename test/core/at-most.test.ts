import { expect, test } from "bun:test";
import { atMost } from "../../src/core/at-most.ts";

/** Work that ends when told to, and what of it has begun. */
function heldWork() {
  const begun: number[] = [];
  const ends = new Map<number, { readonly ok: () => void; readonly fail: (error: Error) => void }>();
  const work = (item: number) => {
    begun.push(item);
    return new Promise<void>((resolve, reject) => void ends.set(item, { ok: resolve, fail: reject }));
  };
  return { begun, ends, work };
}

const settle = () => new Promise<void>((resolve) => void setTimeout(resolve, 0));

test("items begin in order, and no more at once than the width of that moment", async () => {
  const { begun, ends, work } = heldWork();
  let width = 2;
  const done = atMost(() => width, [0, 1, 2, 3, 4, 5, 6], work);
  expect(begun).toEqual([0, 1]);
  width = 4;
  ends.get(1)?.ok();
  await settle();
  expect(begun).toEqual([0, 1, 2, 3, 4]);
  width = 1;
  for (const item of [0, 2, 3]) ends.get(item)?.ok();
  await settle();
  expect(begun).toEqual([0, 1, 2, 3, 4]);
  ends.get(4)?.ok();
  await settle();
  expect(begun).toEqual([0, 1, 2, 3, 4, 5]);
  ends.get(5)?.ok();
  await settle();
  ends.get(6)?.ok();
  await done;
});

test("after a failure nothing begins, and it is thrown when all that had begun has ended", async () => {
  const { begun, ends, work } = heldWork();
  let outcome = "pending";
  const done = atMost(() => 2, [0, 1, 2, 3], work).catch((error: unknown) => {
    outcome = String(error);
  });
  ends.get(0)?.fail(new Error("first"));
  await settle();
  expect([begun, outcome]).toEqual([[0, 1], "pending"]);
  ends.get(1)?.fail(new Error("second"));
  await done;
  expect([begun, outcome]).toEqual([[0, 1], "Error: first"]);
});

test("a width of zero still gets on", async () => {
  const seen: number[] = [];
  await atMost(
    () => 0,
    [1, 2, 3],
    async (item) => void seen.push(item),
  );
  expect(seen).toEqual([1, 2, 3]);
});
