import { expect, test } from "bun:test";
import { dirname, join } from "node:path";
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

test("a relative folder in the config leads to the same place from wherever the command is given", async () => {
  const features = { enable_cloud_sync: true, enable_cloud_sync_local: true };
  const workspace = await createWorkspace({ "assets/a": "A" });
  const path = "../nas";
  workspace.write("config/comfyvn.json", JSON.stringify({ features, sync: { local: { path } } }));
  const opened: unknown[] = [];
  const app = await workspace.app({
    loadProvider: async () => async (destination) => {
      opened.push(destination.path);
      return openMemoryProvider({ store: workspace.store, newHasher: bunPlatform().newHasher });
    },
  });
  await app.dryRun({ service: "local" });
  app.close();
  expect(opened).toEqual([join(dirname(workspace.root), "nas")]);
});
