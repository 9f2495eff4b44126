import { eachAtOnce } from "../at-once.ts";
import type { ConformanceCase } from "../conformance-case.ts";
import { checkFlag } from "../context.ts";
import { check, checkBytes, checkEqual, checkSameKeys, show } from "../expect.ts";
import { someBytes } from "../sources.ts";

/** A batch larger than this is not worth the suite's time; no store takes more keys in one request. */
const BATCH_TESTED_MAX = 2_000;

/** Promise 5: each key's own outcome. */
export const deletingCases: readonly ConformanceCase[] = [
  {
    name: "deleting what is not there succeeds",
    rule: 5,
    run: async (context) => {
      const keys = ["never", "never/below", "never"].map((name) => `${context.prefix}${name}`);
      for (const outcome of await context.provider.delete(keys))
        checkEqual(outcome.error?.code, undefined, `deleting the missing ${outcome.key}`);
      checkEqual((await context.provider.delete([])).length, 0, "outcomes of no keys");
    },
  },
  {
    name: "outcomes come one a key and in the order given, whatever is there and however often a key is named",
    rule: 5,
    run: async (context) => {
      const [a, b, c] = ["a", "b", "c"].map((name) => `${context.prefix}${name}`) as [string, string, string];
      for (const key of [a, c]) await context.put(key, someBytes(1, 100));
      const asked = [c, b, a, c, b];
      const outcomes = await context.provider.delete(asked);
      checkEqual(outcomes.map((outcome) => outcome.key).join("\n"), asked.join("\n"), "keys of the outcomes");
      for (const outcome of outcomes) checkEqual(outcome.error?.code, undefined, `deleting ${outcome.key}`);
      checkSameKeys(await context.listKeys(context.prefix), [], "what is left");
    },
  },
  {
    name: "a delete takes its key and no neighbour",
    rule: 5,
    run: async (context) => {
      const kept = ["ab", "a b", "dir/file", "dir/deep/file", "other/file"].map((name) => `${context.prefix}${name}`);
      const bytes = someBytes(9, 101);
      for (const key of kept) await context.put(key, bytes);
      await context.put(`${context.prefix}a`, bytes);
      await context.put(`${context.prefix}dir/deep/gone`, bytes);
      const asked = ["a", "dir/deep/gone", "dir", "dir/", "dir/deep", "other/", "dir/file/below", "a*"].map(
        (name) => `${context.prefix}${name}`,
      );
      const outcomes = await context.provider.delete(asked);
      checkEqual(outcomes[0]?.error?.code, undefined, "deleting a");
      checkEqual(outcomes[1]?.error?.code, undefined, "deleting dir/deep/gone");
      checkSameKeys(await context.listKeys(context.prefix), kept, "what is left");
      for (const key of kept) checkBytes(await context.read(key), bytes, key);
    },
  },
  {
    name: "more keys than one request carries are all deleted",
    rule: 5,
    needs: ({ deleteBatchMax }) => deleteBatchMax < BATCH_TESTED_MAX,
    run: async (context) => {
      const keys = Array.from(
        { length: context.provider.capabilities.deleteBatchMax + 3 },
        (_, n) => `${context.prefix}batch/${n}`,
      );
      const there = keys.filter((_, n) => n % 200 === 0 || n >= keys.length - 4);
      await eachAtOnce(there, 16, (key) => context.put(key, someBytes(1, 102)));
      const outcomes = await context.provider.delete(keys);
      checkEqual(outcomes.map((outcome) => outcome.key).join("\n"), keys.join("\n"), "keys of the outcomes");
      for (const outcome of outcomes) checkEqual(outcome.error?.code, undefined, `deleting ${outcome.key}`);
      checkSameKeys(await context.listKeys(context.prefix), [], "what is left");
    },
  },
  {
    name: "a key that cannot be deleted is reported, and the others are deleted all the same",
    rule: 5,
    needs: (_, options) => options.refuseDelete !== undefined,
    run: async (context) => {
      const keys = ["first", "refused/key", "last"].map((name) => `${context.prefix}${name}`);
      const refused = keys[1] ?? "";
      for (const key of keys) await context.put(key, someBytes(1, 103));
      const allowAgain = await context.options.refuseDelete?.(refused);
      try {
        const outcomes = await context.provider.delete(keys);
        checkEqual(outcomes.length, keys.length, "outcomes");
        for (const outcome of outcomes)
          checkEqual(outcome.error !== undefined, outcome.key === refused, `an error for ${outcome.key}`);
        const error = outcomes[1]?.error;
        check(error !== undefined, "the refused key has no error");
        checkFlag(error, "the refused key");
        checkSameKeys(await context.listKeys(context.prefix), [refused], "what is left");
      } finally {
        await allowAgain?.();
      }
    },
  },
  {
    name: "a key the store cannot hold does not keep the others from being deleted",
    rule: 5,
    run: async (context) => {
      const impossible = ["", `${context.prefix}${"x".repeat(5_000)}`, `${context.prefix}\ud800`].filter(
        (key) => context.provider.keyFault(key) !== undefined,
      );
      const keys = ["first", "last"].map((name) => `${context.prefix}${name}`);
      for (const key of keys) await context.put(key, someBytes(1, 104));
      const asked = [...keys.slice(0, 1), ...impossible, ...keys.slice(1)];
      const outcomes = await context.provider.delete(asked);
      checkEqual(outcomes.length, asked.length, "outcomes");
      for (const outcome of outcomes) {
        const code = outcome.error?.code;
        const right = code === undefined || (code === "key_invalid" && impossible.includes(outcome.key));
        check(right, `deleting ${show(outcome.key)} ended with ${code}`);
      }
      checkSameKeys(await context.listKeys(context.prefix), [], "what is left");
    },
  },
];
