import type { ObjectInfo, Provider } from "../../../src/providers/contract.ts";
import type { MemoryStore } from "../../../src/providers/memory/memory-store.ts";
import { drain, type Mutant, write } from "./mutant.ts";

const ROUND_TRIP = "every key the store accepts goes through put, get, stat, list and delete unchanged";
const SIDE_BY_SIDE = "all odd keys side by side stay apart";
const DISTINCT = "keys that a careless store takes for one are two objects, or the second is refused";

/** Faults against promise 7: reading something into a key. */
export const keyMutants: readonly Mutant[] = [
  {
    fault: "lists a plus as a space, as form encoding has it",
    caughtBy: [ROUND_TRIP, SIDE_BY_SIDE],
    mutate: (honest) => listing(honest, (key) => key.replaceAll("+", " ")),
  },
  {
    fault: "decodes percent escapes in listed keys",
    caughtBy: [ROUND_TRIP, SIDE_BY_SIDE],
    mutate: (honest) => listing(honest, decode),
  },
  {
    fault: "lists control characters as question marks",
    caughtBy: [ROUND_TRIP],
    mutate: (honest) => listing(honest, (key) => key.replace(/\p{Cc}/gu, "?")),
  },
  {
    fault: "lists entities decoded twice",
    caughtBy: [ROUND_TRIP],
    mutate: (honest) => listing(honest, (key) => key.replaceAll("&amp;", "&")),
  },
  {
    fault: "cuts a key at its question mark",
    caughtBy: [DISTINCT, SIDE_BY_SIDE],
    mutate: (honest) => renaming(honest, (key) => key.replace(/\?.*$/s, "")),
  },
  {
    fault: "cuts a key at its hash",
    caughtBy: [DISTINCT],
    mutate: (honest) => renaming(honest, (key) => key.replace(/#.*$/s, "")),
  },
  {
    fault: "composes Unicode (NFC)",
    caughtBy: [DISTINCT, SIDE_BY_SIDE],
    mutate: (honest) => renaming(honest, (key) => key.normalize("NFC")),
  },
  { fault: "ignores case", caughtBy: [DISTINCT], mutate: (honest) => renaming(honest, (key) => key.toLowerCase()) },
  { fault: "trims spaces", caughtBy: [DISTINCT], mutate: (honest) => renaming(honest, (key) => key.trim()) },
  {
    fault: "normalises dots and double slashes, as URL parsers do",
    caughtBy: [DISTINCT],
    mutate: (honest) => renaming(honest, asUrlPath),
  },
  { fault: "reads a key's percent escapes", caughtBy: [DISTINCT], mutate: (honest) => renaming(honest, decode) },
  {
    fault: "puts the copy's source into a header unencoded",
    caughtBy: ["every key the store accepts is a copy's source and destination"],
    mutate: (honest) => ({ copy: (from, to, options) => honest.copy(from.replaceAll("+", " "), to, options) }),
  },
  {
    fault: "stores under keys that it says it cannot hold",
    caughtBy: ["a key the store cannot hold is refused by put and copy, and nothing is stored"],
    mutate: (honest, store) => ({ put: async (key, source) => write(store, key, await drain(source)) }),
  },
  {
    fault: "accepts keys that have no UTF-8 form",
    caughtBy: ["a key that cannot be well-formed Unicode is refused"],
    mutate: (honest) => ({ keyFault: (key) => (key.isWellFormed() ? honest.keyFault(key) : undefined) }),
  },
  {
    fault: "loses the folder's content when a file takes its name",
    capabilities: { hierarchicalKeys: true },
    caughtBy: ["a key and a key below it exclude each other where keys are folders"],
    mutate: (honest, store) => exclusive(honest, store),
  },
  {
    fault: "drops an object when one is stored below it",
    caughtBy: ["a key and a key below it live side by side where keys are flat"],
    mutate: (honest, store) => exclusive(honest, store),
  },
];

/** Only what `list` shows is changed. */
function listing(honest: Provider, rename: (key: string) => string): Partial<Provider> {
  return {
    list: async function* (prefix, options) {
      for await (const info of honest.list(prefix, options)) yield { ...info, key: rename(info.key) };
    },
  };
}

/** Every verb works on the renamed key but answers with the one it was asked for, where it knows it. */
function renaming(honest: Provider, rename: (key: string) => string): Partial<Provider> {
  const asked = <T extends ObjectInfo>(info: T | undefined, key: string): T | undefined =>
    info === undefined ? undefined : { ...info, key };
  return {
    put: async (key, source, options) => ({ ...(await honest.put(rename(key), source, options)), key }),
    get: async (key, options) => asked(await honest.get(rename(key), options), key),
    stat: async (key, options) => asked(await honest.stat(rename(key), options), key),
    delete: async (keys, options) =>
      (await honest.delete(keys.map(rename), options)).map((outcome, index) => ({
        ...outcome,
        key: keys[index] ?? "",
      })),
    copy: async (from, to, options) => ({ ...(await honest.copy(rename(from), rename(to), options)), key: to }),
  };
}

function exclusive(honest: Provider, store: MemoryStore): Partial<Provider> {
  return {
    put: async (key, source, options) => {
      for (const other of [...store.objects.keys()]) {
        if (other.startsWith(`${key}/`) || key.startsWith(`${other}/`)) store.objects.delete(other);
      }
      return await honest.put(key, source, options);
    },
  };
}

function decode(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

function asUrlPath(key: string): string {
  const kept: string[] = [];
  for (const segment of key.split("/")) {
    if (segment === "..") kept.pop();
    else if (segment !== "." && segment !== "") kept.push(segment);
  }
  return kept.join("/");
}
