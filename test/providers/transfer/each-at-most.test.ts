import { expect, test } from "bun:test";
import { eachAtMost } from "../../../src/providers/transfer/each-at-most.ts";

test("a failure is thrown only when nothing is under way any more, and starts nothing new", async () => {
  const started: number[] = [];
  const slow = Promise.withResolvers<void>();
  let slowEnded = false;
  const all = eachAtMost(2, [1, 2, 3, 4], async (item) => {
    started.push(item);
    if (item === 1) throw new Error("the first one failed");
    await slow.promise;
    slowEnded = true;
  });
  const outcome = all.then(
    () => "no error",
    () => `ended before: ${slowEnded}`,
  );
  await new Promise((resolve) => setTimeout(resolve, 1));
  slow.resolve();
  expect(await outcome).toBe("ended before: true");
  expect(started).toEqual([1, 2]);
});
