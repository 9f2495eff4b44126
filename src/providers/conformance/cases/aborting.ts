import type { Provider } from "../../contract.ts";
import type { ConformanceCase, ConformanceContext } from "../conformance-case.ts";
import { check, checkBytes, checkEqual, checkSameKeys } from "../expect.ts";
import { someBytes, sourceOf } from "../sources.ts";

/** Promise 10: an abort ends a call and leaves nothing half done in sight. */
export const abortingCases: readonly ConformanceCase[] = [
  {
    name: "a call whose signal has fired already does nothing",
    rule: 10,
    run: async (context) => {
      const [kept, other] = [`${context.prefix}kept`, `${context.prefix}other`];
      const bytes = someBytes(10, 500);
      await context.put(kept, bytes);
      const signal = AbortSignal.abort();
      const { provider } = context;
      await context.rejects(() => context.put(other, bytes, { signal }), "aborted", "put");
      await context.rejects(() => context.put(kept, someBytes(10, 501), { signal }), "aborted", "put over an object");
      await context.rejects(() => provider.get(kept, { signal }), "aborted", "get");
      await context.rejects(() => provider.stat(kept, { signal }), "aborted", "stat");
      await context.rejects(() => firstOf(provider, context.prefix, signal), "aborted", "list");
      await context.rejects(() => deleteOrThrow(provider, kept, signal), "aborted", "delete");
      if (provider.capabilities.serverSideCopy)
        await context.rejects(() => provider.copy(kept, other, { signal }), "aborted", "copy");
      checkSameKeys(await context.listKeys(context.prefix), [kept], "listing after the aborted calls");
      checkBytes(await context.read(kept), bytes, "the object after the aborted calls");
    },
  },
  {
    name: "a put aborted while its source is read leaves nothing visible",
    rule: 10,
    run: async (context) => {
      for (const size of [10_000, ...context.largeObjectBytes]) {
        const key = `${context.prefix}aborted-${size}`;
        await abortDuring(context, key, someBytes(size, 502), `put of ${size} bytes`);
        checkEqual(
          (await context.provider.stat(key))?.size,
          undefined,
          `size of what an aborted put of ${size} bytes left`,
        );
      }
      checkSameKeys(await context.listKeys(context.prefix), [], "listing after the aborted puts");
    },
  },
  {
    name: "an overwrite aborted while its source is read leaves the old object whole",
    rule: 10,
    run: async (context) => {
      const key = `${context.prefix}overwritten`;
      const old = someBytes(5_000, 503);
      const { version } = await context.put(key, old);
      for (const size of [10_000, ...context.largeObjectBytes]) {
        await abortDuring(context, key, someBytes(size, 504), `overwrite by ${size} bytes`);
        checkBytes(await context.read(key), old, "the object after an aborted overwrite");
        checkEqual((await context.provider.stat(key))?.version, version, "its version");
      }
    },
  },
  {
    name: "a put can be repeated after it was aborted",
    rule: 10,
    run: async (context) => {
      const key = `${context.prefix}repeated`;
      const bytes = someBytes(Math.max(...context.largeObjectBytes), 505);
      await abortDuring(context, key, bytes, "put");
      await context.put(key, bytes);
      checkBytes(await context.read(key), bytes, "the object after the repeat");
    },
  },
  {
    name: "a body aborted while it is read ends with an error, never as if it were whole",
    rule: 10,
    run: async (context) => {
      const key = `${context.prefix}read`;
      const bytes = someBytes(Math.max(4_000_000, ...context.largeObjectBytes), 506);
      await context.put(key, bytes);
      const controller = new AbortController();
      const content = await context.provider.get(key, { signal: controller.signal });
      check(content !== undefined, "the object was reported missing");
      const reader = content.body.getReader();
      let read = (await reader.read()).value?.length ?? 0;
      controller.abort();
      try {
        for (let part = await reader.read(); !part.done; part = await reader.read()) read += part.value.length;
      } catch (error) {
        await context.rejects(() => Promise.reject(error), "aborted", "reading on");
        return;
      }
      checkEqual(read, bytes.length, "bytes of an aborted body that ended as if it were whole");
    },
  },
  {
    name: "a listing aborted on its way ends with an error, never as if it were whole",
    rule: 10,
    run: async (context) => {
      for (let n = 0; n < 5; n++) await context.put(`${context.prefix}f${n}/x`, someBytes(1, 507));
      const controller = new AbortController();
      let listed = 0;
      const listOn = async () => {
        for await (const _ of context.provider.list(context.prefix, { signal: controller.signal })) {
          listed++;
          controller.abort();
        }
      };
      await context.rejects(listOn, "aborted", "a listing aborted after its first object");
      check(listed >= 1, "the listing gave nothing before it was aborted");
    },
  },
];

/** Starts a put whose signal fires in the first read of its source. */
async function abortDuring(context: ConformanceContext, key: string, bytes: Uint8Array, what: string): Promise<void> {
  const controller = new AbortController();
  const source = sourceOf(bytes, { beforeRead: () => controller.abort() });
  await context.rejects(
    () => context.put(key, bytes, { source, signal: controller.signal }),
    "aborted",
    `${what} aborted in its first read`,
  );
  checkEqual(source.closed, source.opened, "sources closed of those opened by an aborted put");
}

async function firstOf(provider: Provider, prefix: string, signal: AbortSignal): Promise<void> {
  for await (const _ of provider.list(prefix, { signal })) return;
}

/** `delete` may throw as a whole or answer key by key. */
async function deleteOrThrow(provider: Provider, key: string, signal: AbortSignal): Promise<void> {
  const [outcome] = await provider.delete([key], { signal });
  if (outcome?.error !== undefined) throw outcome.error;
}
