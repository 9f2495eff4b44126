import type { ConformanceCase, ConformanceContext } from "../conformance-case.ts";
import { check, checkEqual, checkSameKeys } from "../expect.ts";
import { someBytes } from "../sources.ts";
import { eachAtOnce } from "../at-once.ts";

/** Promise 4: every key under the prefix exactly once. */
export const listingCases: readonly ConformanceCase[] = [
  {
    name: "a listing of more than a page gives every key exactly once",
    rule: 4,
    run: async (context) => {
      const first = Array.from({ length: Math.min(1_000, context.manyKeys) }, (_, n) => `${context.prefix}many/x-${n}`);
      const rest = Array.from(
        { length: Math.max(0, context.manyKeys - 1_000) },
        (_, n) => `${context.prefix}many/y-${n}`,
      );
      const bytes = someBytes(3, 90);
      await eachAtOnce([...first, ...rest], 32, (key) => context.put(key, bytes));
      checkSameKeys(await context.listKeys(`${context.prefix}many/x-`), first, "a listing of exactly one page");
      checkSameKeys(
        await context.listKeys(`${context.prefix}many/`),
        [...first, ...rest],
        "a listing of more than a page",
      );
    },
  },
  {
    name: "a prefix that ends inside a name gives every key that starts with it",
    rule: 4,
    run: async (context) => {
      const names = ["a", "ab", "ab-c", "abc/d", "abc/e/f", "b/a", "b/ab"].filter(
        (name) => name !== "a" || !context.provider.capabilities.hierarchicalKeys,
      );
      for (const name of names) await context.put(`${context.prefix}${name}`, someBytes(1, 91));
      for (const prefix of ["", "a", "ab", "abc", "abc/", "abc/e", "abc/e/", "abc/e/f", "b", "b/", "b/a", "b/ab"]) {
        await checkListing(
          context,
          prefix,
          names.filter((name) => name.startsWith(prefix)),
        );
      }
    },
  },
  {
    name: "a prefix under which nothing is lists nothing",
    rule: 4,
    run: async (context) => {
      await context.put(`${context.prefix}there/file`, someBytes(1, 92));
      for (const prefix of ["z", "z/", "ther/", "there//", "there/file/", "there/file2", "There", "%", "there/*"]) {
        await checkListing(context, prefix, []);
      }
    },
  },
  {
    name: "a listing has each object's own size and version",
    rule: 4,
    run: async (context) => {
      const versions = new Map<string, string>();
      for (let size = 0; size < 20; size++) {
        const key = `${context.prefix}f${size % 3}/size-${size}`;
        versions.set(key, (await context.put(key, someBytes(size, 93))).version);
      }
      for await (const info of context.provider.list(context.prefix)) {
        checkEqual(info.version, versions.get(info.key), `version of ${info.key}`);
        checkEqual(info.size, Number(info.key.slice(info.key.lastIndexOf("-") + 1)), `size of ${info.key}`);
        versions.delete(info.key);
      }
      checkEqual(versions.size, 0, "objects that were not listed");
    },
  },
  {
    name: "deep folders and many folders are listed to the last",
    rule: 4,
    run: async (context) => {
      const deep = Array.from({ length: 40 }, (_, depth) => `${context.prefix}${"d/".repeat(depth)}leaf-${depth}`);
      const wide = Array.from({ length: 60 }, (_, n) => `${context.prefix}wide-${n}/leaf`);
      await eachAtOnce([...deep, ...wide], 16, (key) => context.put(key, someBytes(1, 94)));
      checkSameKeys(await context.listKeys(context.prefix), [...deep, ...wide], "a listing of deep and many folders");
    },
  },
  {
    name: "a listing that is not read to its end can be dropped",
    rule: 4,
    run: async (context) => {
      const keys = ["one", "two", "three"].map((name) => `${context.prefix}${name}`);
      for (const key of keys) await context.put(key, someBytes(1, 95));
      for await (const info of context.provider.list(context.prefix)) {
        check(keys.includes(info.key), `${info.key} was listed and is not there`);
        break;
      }
      checkSameKeys(await context.listKeys(context.prefix), keys, "the listing after a dropped one");
    },
  },
];

async function checkListing(context: ConformanceContext, prefix: string, names: readonly string[]): Promise<void> {
  const keys = await context.listKeys(`${context.prefix}${prefix}`);
  checkSameKeys(
    keys,
    names.map((name) => `${context.prefix}${name}`),
    `listing of "${prefix}"`,
  );
}
