import { SyncError } from "../../../src/core/errors.ts";
import type { GetOptions, ObjectContent, ObjectInfo, Provider } from "../../../src/providers/contract.ts";
import { collect, type Mutant, orUndefined } from "./mutant.ts";

/** Faults against promises 1 to 3 by the verbs that read. */
export const readingMutants: readonly Mutant[] = [
  {
    fault: "takes a range's length for its last byte, as HTTP writes it",
    caughtBy: ["a range is exactly the bytes it names, also over and past the end"],
    mutate: (honest) => ({
      get: async (key, options) => {
        const range = options?.range;
        if (range?.length === undefined) return await honest.get(key, options);
        return await honest.get(key, { ...options, range: { offset: range.offset, length: range.length + 1 } });
      },
    }),
  },
  {
    fault: "takes a range past the end for a missing object",
    caughtBy: [
      "a range is exactly the bytes it names, also over and past the end",
      "a range of an empty object is empty",
    ],
    mutate: (honest) => ({
      get: async (key, options) => {
        const content = await honest.get(key, options);
        return content !== undefined && options?.range !== undefined && options.range.offset >= content.size
          ? undefined
          : content;
      },
    }),
  },
  {
    fault: "ignores ranges",
    caughtBy: ["a large object reads back in ranges as it reads whole"],
    mutate: (honest) => ({ get: (key, { range: _, ...options }: GetOptions = {}) => honest.get(key, options) }),
  },
  {
    fault: "loses a connection for every body that is not read to its end",
    caughtBy: ["a body that is not read to its end can be dropped"],
    mutate: (honest) => {
      let lost = false;
      return {
        get: async (key, options) => {
          if (lost) throw new SyncError("provider_timeout", "no free connection", { retryable: true });
          const content = await honest.get(key, options);
          return content === undefined ? undefined : withCancel(content, () => (lost = true));
        },
      };
    },
  },
  {
    fault: "lists from an index that is one put behind",
    caughtBy: ["an object is readable, stat-able and listed as soon as put resolves, here and on another machine"],
    mutate: (honest) => {
      let newest: string | undefined;
      return {
        put: async (key, source, options) => {
          const info = await honest.put(key, source, options);
          newest = key;
          return info;
        },
        list: async function* (prefix, options) {
          for await (const info of honest.list(prefix, options)) if (info.key !== newest) yield info;
        },
      };
    },
  },
  {
    fault: "uses the size as version",
    caughtBy: ["an overwrite shows at once, with another version, everywhere"],
    mutate: (honest) => {
      const sized = <T extends ObjectInfo>(info: T): T => ({ ...info, version: String(info.size) });
      return {
        put: async (key, source, options) => sized(await honest.put(key, source, options)),
        get: async (key, options) => orNothing(await honest.get(key, options), sized),
        stat: async (key, options) => orNothing(await honest.stat(key, options), sized),
        list: async function* (prefix, options) {
          for await (const info of honest.list(prefix, options)) yield sized(info);
        },
      };
    },
  },
  {
    fault: "answers get from a cache that no delete empties",
    caughtBy: ["a deleted object is gone at once, everywhere"],
    mutate: (honest) => {
      const cached = new Map<string, ObjectInfo>();
      return {
        put: async (key, source, options) => {
          const info = await honest.put(key, source, options);
          cached.set(key, info);
          return info;
        },
        stat: async (key, options) => (await honest.stat(key, options)) ?? cached.get(key),
      };
    },
  },
  {
    fault: "reports each sent byte twice",
    caughtBy: ["the bytes reported as sent add up to the object's size"],
    mutate: (honest) => ({
      put: (key, source, options) =>
        honest.put(key, source, { ...options, onBytes: (bytes) => options.onBytes?.(bytes * 2) }),
    }),
  },
  {
    fault: "has an identity of the connection instead of the destination",
    caughtBy: ["two providers of one destination have one identity"],
    mutate: () => ({ identity: `memory-${crypto.randomUUID()}` }),
  },
  {
    fault: "throws for an object that is not there",
    caughtBy: ["an object that was never put is undefined to get and stat"],
    mutate: (honest) => ({
      get: async (key, options) => {
        const content = await honest.get(key, options);
        if (content === undefined) throw new SyncError("object_missing", "there is no such object");
        return content;
      },
    }),
  },
  {
    fault: "stats by the first key of a listing",
    caughtBy: ["neighbours of a missing key do not stand in for it"],
    mutate: (honest) => ({ stat: async (key, options) => (await collect(honest, key, options?.signal))[0] }),
  },
  {
    fault: "takes a missing bucket for a missing object and an empty listing",
    caughtBy: ["a missing container is an error to every call, never an empty store"],
    mutate: (honest) => blindTo(honest, "provider_container_missing"),
  },
  {
    fault: "takes 403 for a missing object",
    caughtBy: ["refused credentials are an error to every call, never an empty store"],
    mutate: (honest) => blindTo(honest, "provider_denied"),
  },
  {
    fault: "loses sight of everything while an object is written",
    caughtBy: ["reads, listings and writes at once all succeed"],
    mutate: (honest) => {
      let writing = 0;
      return {
        put: async (key, source, options) => {
          writing++;
          const info = await honest.put(key, source, options);
          writing--;
          return info;
        },
        list: async function* (prefix, options) {
          if (writing > 0) return;
          yield* honest.list(prefix, options);
        },
      };
    },
  },
];

function blindTo(honest: Provider, code: string): Partial<Provider> {
  return {
    get: (key, options) => orUndefined(code, () => honest.get(key, options)),
    stat: (key, options) => orUndefined(code, () => honest.stat(key, options)),
    list: async function* (prefix, options) {
      yield* (await orUndefined(code, () => collect(honest, prefix, options?.signal))) ?? [];
    },
  };
}

function orNothing<T>(value: T | undefined, map: (value: T) => T): T | undefined {
  return value === undefined ? undefined : map(value);
}

function withCancel(content: ObjectContent, onCancel: () => void): ObjectContent {
  const reader = content.body.getReader();
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const part = await reader.read();
      if (part.done) controller.close();
      else controller.enqueue(part.value);
    },
    cancel: onCancel,
  });
  return { ...content, body };
}
