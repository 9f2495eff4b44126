import { expect, test } from "bun:test";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import { openMemoryProvider } from "../../src/providers/memory/memory-provider.ts";
import { createWorkspace } from "../support/workspace.ts";

test("a run does not take what a run of another snapshot left in the store for its own", async () => {
  const workspace = await createWorkspace({ "assets/a": "A" });
  const { newHasher } = bunPlatform();
  const writers: string[] = [];
  const app = await workspace.app({
    loadProvider: async () => async (_, context) => {
      writers.push((await context.writer?.()) ?? "none");
      return openMemoryProvider({ store: workspace.store, newHasher });
    },
  });
  for (const snapshot of ["winter", "winter", "summer"]) await app.run({ service: "s3", snapshot });
  app.close();
  const [first, again, other] = writers;
  expect(again).toBe(String(first));
  expect(other).not.toBe(String(first));
});
