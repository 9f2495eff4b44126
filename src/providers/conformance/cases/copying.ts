import type { ConformanceCase } from "../conformance-case.ts";
import { check, checkBytes, checkEqual, checkSameKeys } from "../expect.ts";
import { someBytes } from "../sources.ts";

/** Server-side copies keep promises 1 to 6 as puts do. */
export const copyingCases: readonly ConformanceCase[] = [
  {
    name: "a copy has its source's bytes, and the source stays",
    rule: 1,
    needs: ({ serverSideCopy }) => serverSideCopy,
    run: async (context) => {
      for (const size of [0, 1, 5_000, ...context.largeObjectBytes]) {
        const [from, to] = [`${context.prefix}from-${size}`, `${context.prefix}folder/to-${size}`];
        const bytes = someBytes(size, 160);
        await context.put(from, bytes);
        const info = await context.provider.copy(from, to, {});
        checkEqual(info.key, to, "key that copy returns");
        checkEqual(info.size, size, "size that copy returns");
        checkEqual((await context.provider.stat(to))?.version, info.version, "version that copy returns");
        checkBytes(await context.read(to), bytes, `a copy of ${size} bytes`);
        checkBytes(await context.read(from), bytes, "its source");
      }
    },
  },
  {
    name: "a copy over an object replaces it whole",
    rule: 1,
    needs: ({ serverSideCopy }) => serverSideCopy,
    run: async (context) => {
      const [from, to] = [`${context.prefix}short`, `${context.prefix}long`];
      await context.put(from, someBytes(10, 161));
      const old = await context.put(to, someBytes(10_000, 162));
      const info = await context.provider.copy(from, to, {});
      checkBytes(await context.read(to), someBytes(10, 161), "the object that was copied over");
      check(info.version !== old.version, "the version did not change with the content");
    },
  },
  {
    name: "a copy is listed at once and can be deleted without its source",
    rule: 2,
    needs: ({ serverSideCopy }) => serverSideCopy,
    run: async (context) => {
      const [from, to] = [`${context.prefix}one`, `${context.prefix}two`];
      await context.put(from, someBytes(10, 163));
      await context.provider.copy(from, to, {});
      checkSameKeys(await context.listKeys(context.prefix), [from, to], "listing after the copy");
      await context.provider.delete([from]);
      checkBytes(await context.read(to), someBytes(10, 163), "a copy whose source was deleted");
    },
  },
  {
    name: "a copy of what is not there says so and stores nothing",
    rule: 3,
    needs: ({ serverSideCopy }) => serverSideCopy,
    run: async (context) => {
      const copy = () => context.provider.copy(`${context.prefix}never`, `${context.prefix}to`, {});
      await context.rejects(copy, "object_missing", "a copy of a missing object");
      checkSameKeys(await context.listKeys(context.prefix), [], "what a failed copy left");
    },
  },
  {
    name: "a copy of one version takes that version or nothing",
    rule: 6,
    needs: ({ serverSideCopy }) => serverSideCopy,
    run: async (context) => {
      const [from, to] = [`${context.prefix}versioned`, `${context.prefix}to`];
      const first = await context.put(from, someBytes(10, 164));
      await context.provider.copy(from, to, { ifVersion: first.version });
      await context.put(from, someBytes(10, 165));
      await context.rejects(
        () => context.provider.copy(from, to, { ifVersion: first.version }),
        "precondition_failed",
        "a copy of a stale version",
      );
      checkBytes(await context.read(to), someBytes(10, 164), "the destination after a refused copy");
    },
  },
  {
    name: "a copy by a store that has none says so",
    rule: 8,
    needs: ({ serverSideCopy }) => !serverSideCopy,
    run: async (context) => {
      await context.put(`${context.prefix}from`, someBytes(1, 166));
      const copy = () => context.provider.copy(`${context.prefix}from`, `${context.prefix}to`, {});
      await context.rejects(copy, "provider_unsupported", "a copy without the capability");
    },
  },
];
