import type { ObjectInfo, Provider } from "../../contract.ts";
import type { ConformanceCase, ConformanceContext } from "../conformance-case.ts";
import { check, checkBytes, checkEqual, checkSameKeys } from "../expect.ts";
import { someBytes } from "../sources.ts";

/** Promise 2: what `put` has stored is there for every reader. */
export const visibilityCases: readonly ConformanceCase[] = [
  {
    name: "an object is readable, stat-able and listed as soon as put resolves, here and on another machine",
    rule: 2,
    run: async (context) => {
      const other = await context.openAnother();
      for (let turn = 0; turn < 8; turn++) {
        const key = `${context.prefix}fresh-${turn}`;
        const bytes = someBytes(1_000 + turn, 50 + turn);
        const info = await context.put(key, bytes);
        for (const reader of [context.provider, other]) await checkVisible(context, reader, info, bytes);
      }
    },
  },
  {
    name: "an overwrite shows at once, with another version, everywhere",
    rule: 2,
    run: async (context) => {
      const other = await context.openAnother();
      const key = `${context.prefix}changing`;
      const versions = new Set<string>();
      for (let turn = 0; turn < 8; turn++) {
        const bytes = someBytes(500, 60 + turn);
        const info = await context.put(key, bytes);
        versions.add(info.version);
        for (const reader of [context.provider, other]) await checkVisible(context, reader, info, bytes);
      }
      checkEqual(versions.size, 8, "different versions of eight different contents of one size");
    },
  },
  {
    name: "a deleted object is gone at once, everywhere",
    rule: 2,
    run: async (context) => {
      const other = await context.openAnother();
      const key = `${context.prefix}deleted`;
      await context.put(key, someBytes(100, 70));
      await context.provider.delete([key]);
      for (const reader of [context.provider, other]) {
        check((await reader.get(key)) === undefined, "get still gives a deleted object");
        check((await reader.stat(key)) === undefined, "stat still shows a deleted object");
        checkSameKeys(await context.listKeys(context.prefix, reader), [], "listing after the delete");
      }
    },
  },
  {
    name: "the bytes reported as sent add up to the object's size",
    rule: 2,
    run: async (context) => {
      for (const size of [0, 1_000, ...context.largeObjectBytes]) {
        let reported = 0;
        await context.put(`${context.prefix}progress-${size}`, someBytes(size, 71), {
          onBytes: (bytes) => void (reported += bytes),
        });
        checkEqual(reported, size, `bytes reported while ${size} were put`);
      }
    },
  },
  {
    name: "two providers of one destination have one identity",
    rule: 2,
    run: async (context) => {
      const other = await context.openAnother();
      check(context.provider.identity !== "", "the identity is empty");
      checkEqual(other.identity, context.provider.identity, "identity of a second provider");
    },
  },
];

async function checkVisible(
  context: ConformanceContext,
  reader: Provider,
  info: ObjectInfo,
  bytes: Uint8Array,
): Promise<void> {
  const stat = await reader.stat(info.key);
  checkEqual(stat?.key, info.key, "key that stat answers");
  checkEqual(stat?.size, bytes.length, "size that stat answers");
  checkEqual(stat?.version, info.version, "version that stat answers");
  const content = await reader.get(info.key);
  checkEqual(content?.version, info.version, "version that get answers");
  checkEqual(content?.key, info.key, "key that get answers");
  await content?.body.cancel();
  checkBytes(await context.read(info.key, reader), bytes, "content");
  const listed: ObjectInfo[] = [];
  for await (const each of reader.list(info.key)) listed.push(each);
  checkSameKeys(
    listed.map((each) => each.key),
    [info.key],
    "listing of the key itself",
  );
  checkEqual(listed[0]?.size, bytes.length, "listed size");
  checkEqual(listed[0]?.version, info.version, "listed version");
}
