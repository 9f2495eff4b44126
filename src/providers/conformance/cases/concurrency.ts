import type { ConformanceCase } from "../conformance-case.ts";
import { check, checkBytes, checkEqual, checkSameKeys } from "../expect.ts";
import { someBytes } from "../sources.ts";

const AT_ONCE = 50;

/** Calls at the same time do not disturb each other. */
export const concurrencyCases: readonly ConformanceCase[] = [
  {
    name: "fifty puts at once all arrive whole",
    rule: 1,
    run: async (context) => {
      const keys = Array.from({ length: AT_ONCE }, (_, n) => `${context.prefix}folder-${n % 7}/file-${n}`);
      await Promise.all(keys.map((key, n) => context.put(key, someBytes(1_000 * n, 600 + n))));
      await Promise.all(
        keys.map(async (key, n) => checkBytes(await context.read(key), someBytes(1_000 * n, 600 + n), key)),
      );
      checkSameKeys(await context.listKeys(context.prefix), keys, "listing after fifty puts");
    },
  },
  {
    name: "many puts of one key at once leave one of the contents whole",
    rule: 1,
    run: async (context) => {
      const key = `${context.prefix}contended`;
      const contents = Array.from({ length: 20 }, (_, n) => someBytes(50_000 + n, 700 + n));
      const other = await context.openAnother();
      await Promise.all(contents.map((bytes, n) => context.put(key, bytes, n % 2 === 0 ? {} : { by: other })));
      const bytes = await context.read(key);
      check(bytes !== undefined, "the contended object is missing");
      const digest = context.sha256(bytes);
      check(
        contents.some((content) => context.sha256(content) === digest),
        `${bytes.length} bytes are there that nobody put`,
      );
      checkSameKeys(await context.listKeys(context.prefix), [key], "listing after the contention");
    },
  },
  {
    name: "a put beside deletes that empty its folder arrives",
    rule: 2,
    run: async (context) => {
      const folder = `${context.prefix}shared/deep/folder/`;
      for (let turn = 0; turn < 20; turn++) {
        const [gone, fresh] = [`${folder}${turn}-gone`, `${folder}${turn}-fresh`];
        await context.put(gone, someBytes(10, 800));
        const [outcomes] = await Promise.all([context.provider.delete([gone]), context.put(fresh, someBytes(20, 801))]);
        checkEqual(outcomes[0]?.error?.code, undefined, "deleting beside a put");
        checkBytes(await context.read(fresh), someBytes(20, 801), "what was put beside a delete");
        await context.provider.delete([fresh]);
      }
    },
  },
  {
    name: "reads, listings and writes at once all succeed",
    rule: 2,
    run: async (context) => {
      const keys = Array.from({ length: 10 }, (_, n) => `${context.prefix}mixed/${n}`);
      for (const key of keys) await context.put(key, someBytes(2_000, 900));
      const fresh = keys.map((key) => `${key}-new`);
      await Promise.all([
        ...keys.map(async (key) => checkBytes(await context.read(key), someBytes(2_000, 900), key)),
        ...fresh.map((key) => context.put(key, someBytes(2_000, 901))),
        ...keys.map(async () => {
          const listed = new Set(await context.listKeys(context.prefix));
          check(
            keys.every((key) => listed.has(key)),
            "a listing during writes lost an object that was there all along",
          );
        }),
      ]);
      checkSameKeys(await context.listKeys(context.prefix), [...keys, ...fresh], "listing afterwards");
    },
  },
];
