import { SyncError } from "../../../src/core/errors.ts";
import type { PutOptions } from "../../../src/providers/contract.ts";
import type { MemoryStore } from "../../../src/providers/memory/memory-store.ts";
import { drain, type Mutant, write } from "./mutant.ts";

/** Faults against promise 6 and by copies. */
export const writingMutants: readonly Mutant[] = [
  {
    fault: "ignores that a key must be absent",
    caughtBy: ["a second create of one key is refused and changes nothing"],
    mutate: (honest) => ({ put: (key, source, options) => honest.put(key, source, unless(options, "absent")) }),
  },
  {
    fault: "answers success to a second create of the same bytes",
    caughtBy: ["a second create of one key is refused and changes nothing"],
    mutate: (honest, store) => ({
      put: async (key, source, options) => {
        const there = store.objects.get(key);
        const same =
          there !== undefined && there.bytes.length === source.size && options.precondition?.kind === "absent";
        return same ? { key, size: source.size, version: there.version } : await honest.put(key, source, options);
      },
    }),
  },
  {
    fault: "takes a deleted object for one that is there",
    caughtBy: ["a create after a delete succeeds"],
    mutate: (honest) => {
      const deleted = new Set<string>();
      return {
        delete: async (keys, options) => {
          for (const key of keys) deleted.add(key);
          return await honest.delete(keys, options);
        },
        put: async (key, source, options) => {
          if (options.precondition?.kind === "absent" && deleted.has(key)) throw conflict();
          return await honest.put(key, source, options);
        },
      };
    },
  },
  {
    fault: "ignores a version, as stores do that do not know If-Match",
    caughtBy: [
      "a replace with a stale version is refused and changes nothing",
      "of many writers that replace one version at once, one wins",
    ],
    mutate: (honest) => ({ put: (key, source, options) => honest.put(key, source, unless(options, "version")) }),
  },
  {
    fault: "stats a version in quotes that put does not take back",
    caughtBy: ["a version from stat, list and get is accepted as well as one from put"],
    mutate: (honest) => ({
      stat: async (key, options) => {
        const info = await honest.stat(key, options);
        return info === undefined ? undefined : { ...info, version: `"${info.version}"` };
      },
    }),
  },
  {
    fault: "creates where a version was to be replaced",
    caughtBy: ["a replace of what is not there is refused"],
    mutate: (honest, store) => ({
      put: (key, source, options) =>
        honest.put(key, source, store.objects.has(key) ? options : unless(options, "version")),
    }),
  },
  {
    fault: "trusts the bytes of a conditional put",
    caughtBy: ["a condition that holds does not excuse wrong bytes"],
    mutate: (honest, store) => ({
      put: async (key, source, options) =>
        options.precondition === undefined
          ? await honest.put(key, source, options)
          : write(store, key, await drain(source)),
    }),
  },
  {
    fault: "judges a condition before it reads the source",
    caughtBy: [
      "of many writers that create one key at once, one wins",
      "of many writers that replace one version at once, one wins",
    ],
    mutate: (honest, store) => ({
      put: async (key, source, options) => {
        if (options.precondition !== undefined && !holds(store, key, options)) throw conflict();
        const { precondition: _, ...unconditional } = options;
        return await honest.put(key, source, unconditional);
      },
    }),
  },
  {
    fault: "ignores a condition it cannot keep",
    capabilities: { conditionalPut: false },
    caughtBy: ["a store without conditional writes refuses a condition, never ignores it"],
    mutate: (honest) => ({
      put: (key, source, { precondition: _, ...options }) => honest.put(key, source, options),
    }),
  },
  {
    fault: "moves where it should copy",
    caughtBy: ["a copy has its source's bytes, and the source stays"],
    mutate: (honest, store) => ({
      copy: async (from, to, options) => {
        const info = await honest.copy(from, to, options);
        store.objects.delete(from);
        return info;
      },
    }),
  },
  {
    fault: "does not copy over what is there",
    caughtBy: ["a copy over an object replaces it whole"],
    mutate: (honest) => ({
      copy: async (from, to, options) => (await honest.stat(to)) ?? (await honest.copy(from, to, options)),
    }),
  },
  {
    fault: "copies by a link that dies with its source",
    caughtBy: ["a copy is listed at once and can be deleted without its source"],
    mutate: (honest, store) => {
      const links = new Map<string, string>();
      return {
        copy: async (from, to, options) => {
          links.set(to, from);
          return await honest.copy(from, to, options);
        },
        delete: async (keys, options) => {
          for (const [to, from] of links) if (keys.includes(from)) store.objects.delete(to);
          return await honest.delete(keys, options);
        },
      };
    },
  },
  {
    fault: "copies a missing object as an empty one",
    caughtBy: ["a copy of what is not there says so and stores nothing"],
    mutate: (honest, store) => ({
      copy: async (from, to, options) =>
        store.objects.has(from) ? await honest.copy(from, to, options) : write(store, to, new Uint8Array()),
    }),
  },
  {
    fault: "ignores which version to copy",
    caughtBy: ["a copy of one version takes that version or nothing"],
    mutate: (honest) => ({ copy: (from, to, { ifVersion: _, ...options }) => honest.copy(from, to, options) }),
  },
  {
    fault: "pretends to copy without the capability",
    capabilities: { serverSideCopy: false },
    caughtBy: ["a copy by a store that has none says so"],
    mutate: () => ({ copy: async (_, to) => ({ key: to, size: 0, version: "v0" }) }),
  },
];

function unless(options: PutOptions, kind: "absent" | "version"): PutOptions {
  const { precondition, ...rest } = options;
  return precondition === undefined || precondition.kind === kind ? rest : options;
}

function holds(store: MemoryStore, key: string, { precondition }: PutOptions): boolean {
  return precondition?.kind === "version"
    ? store.objects.get(key)?.version === precondition.version
    : !store.objects.has(key);
}

function conflict(): SyncError {
  return new SyncError("precondition_failed", "another writer changed the object first");
}
