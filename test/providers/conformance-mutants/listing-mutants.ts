import { SyncError } from "../../../src/core/errors.ts";
import { aTurn, collect, type Mutant } from "./mutant.ts";

const PAGE = 1_000;

/** Faults against promises 4 and 5: listings and deletes. */
export const listingMutants: readonly Mutant[] = [
  {
    fault: "stops after the first page",
    caughtBy: ["a listing of more than a page gives every key exactly once"],
    mutate: (honest) => ({
      list: async function* (prefix, options) {
        yield* (await collect(honest, prefix, options?.signal)).slice(0, PAGE);
      },
    }),
  },
  {
    fault: "gives the last key of a page again at the start of the next",
    caughtBy: ["a listing of more than a page gives every key exactly once"],
    mutate: (honest) => ({
      list: async function* (prefix, options) {
        const all = await collect(honest, prefix, options?.signal);
        yield* [...all.slice(0, PAGE), ...all.slice(PAGE - 1)].slice(0, all.length > PAGE ? undefined : all.length);
      },
    }),
  },
  {
    fault: "takes a prefix for a folder",
    caughtBy: ["a prefix that ends inside a name gives every key that starts with it"],
    mutate: (honest) => ({
      list: (prefix, options) => honest.list(prefix.endsWith("/") ? prefix : `${prefix}/`, options),
    }),
  },
  {
    fault: "trims slashes from the end of a prefix",
    caughtBy: ["a prefix under which nothing is lists nothing"],
    mutate: (honest) => ({ list: (prefix, options) => honest.list(prefix.replace(/\/+$/, ""), options) }),
  },
  {
    fault: "lists a page with the versions of its first object",
    caughtBy: ["a listing has each object's own size and version"],
    mutate: (honest) => ({
      list: async function* (prefix, options) {
        const all = await collect(honest, prefix, options?.signal);
        for (const info of all) yield { ...info, version: all[0]?.version ?? info.version };
      },
    }),
  },
  {
    fault: "does not go below thirty folders",
    caughtBy: ["deep folders and many folders are listed to the last"],
    mutate: (honest) => ({
      list: async function* (prefix, options) {
        for await (const info of honest.list(prefix, options)) if (info.key.split("/").length <= 30) yield info;
      },
    }),
  },
  {
    fault: "keeps one cursor for all listings",
    caughtBy: ["a listing that is not read to its end can be dropped"],
    mutate: (honest) => {
      let cursor = 0;
      return {
        list: async function* (prefix, options) {
          for (const info of (await collect(honest, prefix, options?.signal)).slice(cursor)) {
            cursor++;
            yield info;
          }
          cursor = 0;
        },
      };
    },
  },
  {
    fault: "calls the delete of a missing object an error",
    caughtBy: ["deleting what is not there succeeds"],
    mutate: (honest, store) => ({
      delete: async (keys) =>
        keys.map((key) =>
          store.objects.delete(key)
            ? { key }
            : { key, error: new SyncError("object_missing", "there is no such object") },
        ),
    }),
  },
  {
    fault: "gives outcomes in the order the store answered",
    caughtBy: ["outcomes come one a key and in the order given, whatever is there and however often a key is named"],
    mutate: (honest) => ({
      delete: async (keys, options) =>
        (await honest.delete(keys, options)).toSorted((a, b) => (a.key < b.key ? -1 : 1)),
    }),
  },
  {
    fault: "deletes what starts with the key",
    caughtBy: ["a delete takes its key and no neighbour"],
    mutate: (honest, store) => ({
      delete: async (keys) => {
        for (const key of [...store.objects.keys()])
          if (keys.some((start) => key.startsWith(start))) store.objects.delete(key);
        return keys.map((key) => ({ key }));
      },
    }),
  },
  {
    fault: "sends the first request of a large delete only",
    caughtBy: ["more keys than one request carries are all deleted"],
    mutate: (honest) => ({
      delete: async (keys, options) => {
        await honest.delete(keys.slice(0, honest.capabilities.deleteBatchMax), options);
        return keys.map((key) => ({ key }));
      },
    }),
  },
  {
    fault: "overlooks a key's own error inside an answer that says 200",
    caughtBy: ["a key that cannot be deleted is reported, and the others are deleted all the same"],
    mutate: (honest) => ({
      delete: async (keys, options) => (await honest.delete(keys, options)).map(({ key }) => ({ key })),
    }),
  },
  {
    fault: "ends a delete at the first key that fails",
    caughtBy: ["a key that cannot be deleted is reported, and the others are deleted all the same"],
    mutate: (honest) => ({
      delete: async (keys, options) => {
        for (const key of keys) {
          const [outcome] = await honest.delete([key], options);
          if (outcome?.error !== undefined) throw outcome.error;
        }
        return keys.map((key) => ({ key }));
      },
    }),
  },
  {
    fault: "refuses a whole delete for one impossible key",
    caughtBy: ["a key the store cannot hold does not keep the others from being deleted"],
    mutate: (honest) => ({
      delete: async (keys, options) => {
        if (keys.some((key) => honest.keyFault(key) !== undefined))
          throw new SyncError("key_invalid", "a key is impossible");
        return await honest.delete(keys, options);
      },
    }),
  },
  {
    fault: "removes a folder that looked empty a moment ago",
    caughtBy: ["a put beside deletes that empty its folder arrives"],
    mutate: (honest, store) => ({
      delete: async (keys, options) => {
        const outcomes = await honest.delete(keys, options);
        const folders = keys.map((key) => key.slice(0, key.lastIndexOf("/") + 1));
        const empty = folders.filter((folder) => ![...store.objects.keys()].some((key) => key.startsWith(folder)));
        await aTurn();
        for (const key of [...store.objects.keys()])
          if (empty.some((folder) => key.startsWith(folder))) store.objects.delete(key);
        return outcomes;
      },
    }),
  },
];
