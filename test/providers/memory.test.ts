import { openMemoryProvider } from "../../src/providers/memory/memory-provider.ts";
import { MemoryStore } from "../../src/providers/memory/memory-store.ts";
import { memoryConformanceOptions } from "../support/memory-conformance.ts";
import { conformanceTests } from "../support/conformance-tests.ts";

const store = new MemoryStore();

await conformanceTests(
  "the memory provider",
  async () => openMemoryProvider({ store }),
  memoryConformanceOptions(store),
);

await conformanceTests("a memory provider without conditions and copies", async () =>
  openMemoryProvider({ store, capabilities: { conditionalPut: false, serverSideCopy: false } }),
);

await conformanceTests(
  "a memory provider that moves and tells digests",
  async () => openMemoryProvider({ store, capabilities: { serverSideMove: true, listsSha256: true } }),
  memoryConformanceOptions(store),
);
