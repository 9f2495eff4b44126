import type { Provider } from "../../contract.ts";
import type { ConformanceCase, ConformanceContext } from "../conformance-case.ts";
import { check, checkBytes, checkEqual, checkSameKeys, show } from "../expect.ts";
import { someBytes } from "../sources.ts";
import { TORTURE_KEYS } from "../torture-keys.ts";

/** Renames inside the store keep promises 1 to 7 as copies do. */
export const movingCases: readonly ConformanceCase[] = [
  {
    name: "a move takes the bytes along and leaves nothing, for every machine that looks",
    rule: 2,
    needs: ({ serverSideMove }) => serverSideMove === true,
    run: async (context) => {
      const other = await context.openAnother();
      for (const size of [0, 5_000, ...context.largeObjectBytes]) {
        const [from, to] = [`${context.prefix}from-${size}`, `${context.prefix}folder/to-${size}`];
        const bytes = someBytes(size, 170);
        const { version } = await context.put(from, bytes);
        const info = await move(context, from, to, version);
        checkEqual(info.key, to, "key that move returns");
        for (const reader of [context.provider, other]) {
          checkEqual((await reader.stat(to))?.version, info.version, "version that move returns");
          checkBytes(await context.read(to, reader), bytes, `what was moved, ${size} bytes`);
          check((await reader.stat(from)) === undefined, "what was moved is still at its old key");
          checkSameKeys(await context.listKeys(`${context.prefix}f`, reader), [to], "listing after the move");
        }
        await context.provider.delete([to]);
      }
    },
  },
  {
    name: "a move over an object replaces it, and its old key can be put anew",
    rule: 1,
    needs: ({ serverSideMove }) => serverSideMove === true,
    run: async (context) => {
      const [from, to] = [`${context.prefix}from`, `${context.prefix}to`];
      const { version } = await context.put(from, someBytes(10, 171));
      await context.put(to, someBytes(10_000, 172));
      await move(context, from, to, version);
      checkBytes(await context.read(to), someBytes(10, 171), "the object that was moved over");
      await context.put(from, someBytes(20, 173));
      checkBytes(await context.read(from), someBytes(20, 173), "what was put at the old key");
      checkBytes(await context.read(to), someBytes(10, 171), "what was moved, after that");
      checkSameKeys(await context.listKeys(context.prefix), [from, to], "listing");
    },
  },
  {
    name: "a move of one version takes that version or nothing, and one of nothing says so",
    rule: 6,
    needs: ({ serverSideMove }) => serverSideMove === true,
    run: async (context) => {
      const [from, to] = [`${context.prefix}versioned`, `${context.prefix}to`];
      const first = await context.put(from, someBytes(10, 174));
      await context.put(from, someBytes(10, 175));
      const stale = () => move(context, from, to, first.version);
      await context.rejects(stale, "precondition_failed", "a move of a stale version");
      await context.rejects(() => move(context, `${context.prefix}never`, to), "object_missing", "a move of nothing");
      checkSameKeys(await context.listKeys(context.prefix), [from], "what the refused moves left");
      checkBytes(await context.read(from), someBytes(10, 175), "the object that stayed");
    },
  },
  {
    name: "every key the store accepts is a move's source and destination",
    rule: 7,
    needs: ({ serverSideMove }) => serverSideMove === true,
    run: async (context) => {
      for (const [index, name] of TORTURE_KEYS.entries()) {
        const [from, to] = [`${context.prefix}${index}/from/${name}`, `${context.prefix}${index}/to/${name}`];
        if (context.provider.keyFault(from) !== undefined) continue;
        const bytes = someBytes(20, index);
        const { version } = await context.put(from, bytes);
        await move(context, from, to, version);
        checkBytes(await context.read(to), bytes, `a move of ${show(name)}`);
        checkSameKeys(await context.listKeys(`${context.prefix}${index}/`), [to], `a move of ${show(name)}`);
      }
    },
  },
  {
    name: "a SHA-256 in a listing is that of the bytes",
    rule: 1,
    needs: ({ listsSha256 }) => listsSha256 === true,
    run: async (context) => {
      const sizes = [0, 1_000, ...context.largeObjectBytes];
      for (const size of sizes) await context.put(`${context.prefix}${size}`, someBytes(size, 176));
      await context.put(`${context.prefix}1000`, someBytes(1_000, 177));
      for await (const { key, sha256 } of context.provider.list(context.prefix)) {
        const bytes = await context.read(key);
        checkEqual(sha256, bytes === undefined ? undefined : context.sha256(bytes), `SHA-256 of ${key}`);
      }
    },
  },
];

async function move(
  { provider }: ConformanceContext,
  from: string,
  to: string,
  ifVersion?: string,
): ReturnType<NonNullable<Provider["move"]>> {
  check(provider.move !== undefined, "the provider says that it moves, and has no move");
  return await provider.move(from, to, ifVersion === undefined ? {} : { ifVersion });
}
