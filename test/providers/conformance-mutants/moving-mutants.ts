import type { Provider } from "../../../src/providers/contract.ts";
import type { Mutant } from "./mutant.ts";

const MOVES = { serverSideMove: true, listsSha256: true } as const;

/** Faults by moves, and by digests of the store's own. */
export const movingMutants: readonly Mutant[] = [
  {
    fault: "says that it moves and has no move",
    caughtBy: ["a move takes the bytes along and leaves nothing, for every machine that looks"],
    capabilities: MOVES,
    mutate: () => ({ move: undefined }) as unknown as Partial<Provider>,
  },
  {
    fault: "copies and leaves the old object",
    caughtBy: [
      "a move takes the bytes along and leaves nothing, for every machine that looks",
      "every key the store accepts is a move's source and destination",
    ],
    capabilities: MOVES,
    mutate: (honest) => ({ move: (from, to, options) => honest.copy(from, to, options) }),
  },
  {
    fault: "moves over an object and keeps that one",
    caughtBy: ["a move over an object replaces it, and its old key can be put anew"],
    capabilities: MOVES,
    mutate: (honest, store) => ({
      move: async (from, to, options) => {
        const before = store.objects.get(to);
        const moved = (await honest.move?.(from, to, options)) ?? { key: to, size: 0, version: "" };
        if (before !== undefined) store.objects.set(to, before);
        return moved;
      },
    }),
  },
  {
    fault: "ignores which version is to be moved",
    caughtBy: ["a move of one version takes that version or nothing, and one of nothing says so"],
    capabilities: MOVES,
    mutate: (honest) => ({
      move: async (from, to, _) => (await honest.move?.(from, to, {})) ?? { key: to, size: 0, version: "" },
    }),
  },
  {
    fault: "lists the SHA-256 of what was there before",
    caughtBy: ["a SHA-256 in a listing is that of the bytes"],
    capabilities: MOVES,
    mutate: (honest) => {
      const first = new Map<string, string>();
      return {
        list: async function* (prefix, options) {
          for await (const info of honest.list(prefix, options)) yield { ...info, sha256: first.get(info.key) ?? "" };
        },
        put: async (key, source, options) => {
          if (!first.has(key)) first.set(key, options.sha256);
          return await honest.put(key, source, options);
        },
      };
    },
  },
];
