import type { ConformanceCase, ConformanceContext } from "../conformance-case.ts";
import { SyncError } from "../../../core/errors.ts";
import { check, checkBytes, checkEqual, checkSameKeys, show } from "../expect.ts";
import { someBytes } from "../sources.ts";
import { DISTINCT_KEYS, TORTURE_KEYS } from "../torture-keys.ts";

/** Promise 7: a key is a string of Unicode and nothing is read into it. */
export const keyCases: readonly ConformanceCase[] = [
  {
    name: "every key the store accepts goes through put, get, stat, list and delete unchanged",
    rule: 7,
    run: async (context) => {
      for (const [index, name] of acceptedKeys(context).entries())
        await roundTrip(context, `${context.prefix}${index}/`, name);
    },
  },
  {
    name: "every key the store accepts is a copy's source and destination",
    rule: 7,
    needs: ({ serverSideCopy }) => serverSideCopy,
    run: async (context) => {
      for (const [index, name] of acceptedKeys(context).entries()) {
        const what = `a copy of ${show(name)}`;
        const [from, to] = [`${context.prefix}${index}/from/${name}`, `${context.prefix}${index}/to/${name}`];
        if (context.provider.keyFault(from) !== undefined) continue;
        const bytes = someBytes(20, index);
        const { version } = await context.put(from, bytes);
        await context.provider.copy(from, to, { ifVersion: version });
        checkBytes(await context.read(to), bytes, what);
        checkSameKeys(await context.listKeys(`${context.prefix}${index}/`), [from, to], what);
      }
    },
  },
  {
    name: "all odd keys side by side stay apart",
    rule: 7,
    run: async (context) => {
      const under = `${context.prefix}all/`;
      const kept = new Map<string, Uint8Array>();
      for (const [index, name] of TORTURE_KEYS.entries()) {
        const key = `${under}${name}`;
        const bytes = someBytes(30, 200 + index);
        if (context.provider.keyFault(key) === undefined && (await putOrCollide(context, key, bytes)))
          kept.set(key, bytes);
      }
      checkSameKeys(await context.listKeys(under), [...kept.keys()], "listing of all odd keys");
      for (const [key, bytes] of kept) checkBytes(await context.read(key), bytes, show(key));
      const outcomes = await context.provider.delete([...kept.keys()]);
      for (const outcome of outcomes) checkEqual(outcome.error?.code, undefined, `deleting ${show(outcome.key)}`);
      checkSameKeys(await context.listKeys(under), [], "listing after all odd keys were deleted");
    },
  },
  {
    name: "keys that a careless store takes for one are two objects, or the second is refused",
    rule: 7,
    run: async (context) => {
      for (const [index, [one, two]] of DISTINCT_KEYS.entries())
        await keepApart(context, `${context.prefix}${index}/`, one, two);
    },
  },
  {
    name: "a key the store cannot hold is refused by put and copy, and nothing is stored",
    rule: 7,
    run: async (context) => {
      const refused = [
        ...TORTURE_KEYS.map((name) => `${context.prefix}${name}`),
        "",
        `${context.prefix}${"x/".repeat(5_000)}x`,
        `${context.prefix}\ud83d`,
      ];
      const from = `${context.prefix}from`;
      await context.put(from, someBytes(5, 300));
      for (const key of refused.filter((each) => context.provider.keyFault(each) !== undefined)) {
        await context.rejects(() => context.put(key, someBytes(5, 301)), "key_invalid", `put to ${show(key)}`);
        if (!context.provider.capabilities.serverSideCopy) continue;
        await context.rejects(() => context.provider.copy(from, key, {}), "key_invalid", `copy to ${show(key)}`);
      }
      checkSameKeys(await context.listKeys(context.prefix), [from], "what the refused keys left");
    },
  },
  {
    name: "a key that cannot be well-formed Unicode is refused",
    rule: 7,
    run: async (context) => {
      for (const key of ["\ud800", "a\udc00b", "\udc00\ud800"].map((name) => `${context.prefix}${name}`)) {
        check(context.provider.keyFault(key) !== undefined, `keyFault accepts ${show(key)}, which has no UTF-8 form`);
      }
    },
  },
  {
    name: "a key and a key below it exclude each other where keys are folders",
    rule: 7,
    needs: ({ hierarchicalKeys }) => hierarchicalKeys,
    run: async (context) => {
      const [file, below, deep] = ["x", "x/y", "x/y/z"].map((name) => `${context.prefix}${name}`) as [
        string,
        string,
        string,
      ];
      const bytes = someBytes(7, 302);
      await context.put(file, bytes);
      for (const key of [below, deep])
        await context.rejects(() => context.put(key, bytes), "key_collision", `put below an object`);
      checkBytes(await context.read(file), bytes, "the object in the way");
      await context.provider.delete([file]);
      await context.put(deep, bytes);
      for (const key of [file, below])
        await context.rejects(() => context.put(key, bytes), "key_collision", "put over a folder");
      checkSameKeys(await context.listKeys(context.prefix), [deep], "what is left");
    },
  },
  {
    name: "a key and a key below it live side by side where keys are flat",
    rule: 7,
    needs: ({ hierarchicalKeys }) => !hierarchicalKeys,
    run: async (context) => {
      const keys = ["x", "x/y", "x/y/z"].map((name) => `${context.prefix}${name}`);
      for (const [index, key] of keys.entries()) await context.put(key, someBytes(7, 303 + index));
      checkSameKeys(await context.listKeys(context.prefix), keys, "listing");
      await context.provider.delete(keys.slice(0, 1));
      for (const index of [1, 2])
        checkBytes(await context.read(keys[index] ?? ""), someBytes(7, 303 + index), keys[index] ?? "");
    },
  },
];

function acceptedKeys(context: ConformanceContext): string[] {
  return TORTURE_KEYS.filter((name) => context.provider.keyFault(`${context.prefix}0/${name}`) === undefined);
}

async function roundTrip(context: ConformanceContext, under: string, name: string): Promise<void> {
  const key = `${under}${name}`;
  if (context.provider.keyFault(key) !== undefined) return;
  const what = show(name);
  const bytes = someBytes(25, key.length);
  const info = await context.put(key, bytes);
  checkEqual(info.key, key, `key that put of ${what} returns`);
  checkEqual((await context.provider.stat(key))?.key, key, `key that stat of ${what} answers`);
  checkBytes(await context.read(key), bytes, what);
  for (const prefix of [under, key]) checkSameKeys(await context.listKeys(prefix), [key], `listing of ${show(prefix)}`);
  const [outcome] = await context.provider.delete([key]);
  checkEqual(outcome?.error?.code, undefined, `deleting ${what}`);
  checkSameKeys(await context.listKeys(under), [], `listing after ${what} was deleted`);
}

/** False when the store took `key` for another one and said so. */
async function putOrCollide(context: ConformanceContext, key: string, bytes: Uint8Array): Promise<boolean> {
  try {
    await context.put(key, bytes);
    return true;
  } catch (error) {
    if (error instanceof SyncError && error.code === "key_collision") return false;
    throw error;
  }
}

async function keepApart(context: ConformanceContext, under: string, one: string, two: string): Promise<void> {
  const keys = [`${under}${one}`, `${under}${two}`] as const;
  if (keys.some((key) => context.provider.keyFault(key) !== undefined)) return;
  const contents = [someBytes(15, 310), someBytes(15, 311)] as const;
  await context.put(keys[0], contents[0]);
  check((await context.provider.stat(keys[1])) === undefined, `${show(two)} is there after a put of ${show(one)}`);
  check((await context.read(keys[1])) === undefined, `${show(two)} can be read after a put of ${show(one)}`);
  const both = await putOrCollide(context, keys[1], contents[1]);
  checkBytes(await context.read(keys[0]), contents[0], `${show(one)} after a put of ${show(two)}`);
  checkSameKeys(
    await context.listKeys(under),
    both ? [...keys] : [keys[0]],
    `listing of ${show(one)} and ${show(two)}`,
  );
  await context.provider.delete([keys[1]]);
  checkBytes(await context.read(keys[0]), contents[0], `${show(one)} after ${show(two)} was deleted`);
}
