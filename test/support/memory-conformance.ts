import type { ConformanceOptions } from "../../src/providers/conformance/conformance-case.ts";
import { openMemoryProvider } from "../../src/providers/memory/memory-provider.ts";
import { type MemoryRefusal, MemoryStore } from "../../src/providers/memory/memory-store.ts";

/** What the suite is told is a credential of memory providers. */
export const memorySecret = "canary/Secret+Key==";

/** Everything the suite can ask of a destination, as the memory store does it. */
export function memoryConformanceOptions(store: MemoryStore) {
  return {
    largeObjectBytes: [200_000],
    secrets: [memorySecret],
    beginOutage: async () => {
      store.refuse("provider_unavailable");
      return { requests: () => store.refusedRequests, end: async () => store.refuse(undefined) };
    },
    refuseDelete: async (key: string) => {
      store.undeletable.add(key);
      return async () => void store.undeletable.delete(key);
    },
    openMissingContainer: async () => openMemoryProvider({ store: refusingStore("provider_container_missing") }),
    openDenied: async () => openMemoryProvider({ store: refusingStore("provider_denied") }),
  } satisfies ConformanceOptions;
}

export function refusingStore(code: MemoryRefusal): MemoryStore {
  const store = new MemoryStore();
  store.refuse(code);
  return store;
}
