/** Trouble once everything is stored and published: the run is told as what it was, and what is left is a warning. */
import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { SyncError } from "../../src/core/errors.ts";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import { countListings } from "../support/mirror-contents.ts";
import { createWorkspace } from "../support/workspace.ts";

test("a cache that cannot be written does not make a run that published fail", async () => {
  const workspace = await createWorkspace({ "assets/a": "A", "cache/cloud/manifests": "a file in the way" });
  const { summary, committed } = await workspace.run();
  expect(summary).toMatchObject({ status: "ok", errors: [] });
  expect(committed).toBe(false);
  expect(summary.warnings).toHaveLength(1);
  expect(summary.warnings[0]).toContain("the local cache could not be written");
  expect(workspace.events.at(-1)).toMatchObject({ type: "sync.run", status: "ok" });
});

test("nor does a connection that breaks before the run marker is away; the next run takes it away", async () => {
  const workspace = await createWorkspace({ "assets/a": "A" });
  let refused = 0;
  workspace.wrap = (provider) => ({
    ...provider,
    stat: async (key, options) => {
      if (!key.endsWith(".run.json") || !workspace.store.objects.has("manifests/default.json"))
        return await provider.stat(key, options);
      refused++;
      throw new SyncError("provider_denied", "scripted");
    },
  });
  const { summary } = await workspace.run();
  expect(refused).toBe(1);
  expect(summary).toMatchObject({ status: "ok", uploads: ["assets/a", "config/comfyvn.json"] });
  expect(summary.warnings[0]).toContain("the next run tries again");
  expect(workspace.store.objects.has("manifests/.default.run.json")).toBe(true);
  workspace.wrap = (provider) => provider;
  const listings = countListings(workspace);
  expect((await workspace.run()).summary).toMatchObject({ status: "ok", uploads: [], warnings: [] });
  expect(listings()).toBe(0);
  expect(workspace.store.objects.has("manifests/.default.run.json")).toBe(false);
});

test("nor does a journal that cannot be removed, which no later run believes without the store's word", async () => {
  const workspace = await createWorkspace({ "assets/a": "A" });
  const platform = bunPlatform();
  let refused = 0;
  const remove = async (path: string) => {
    if (!path.endsWith(".jsonl")) return await platform.files.remove(path);
    refused++;
    throw new SyncError("write_failed", "scripted");
  };
  const app = await workspace.app({ platform: { ...platform, files: { ...platform.files, remove } } });
  expect((await app.run({ service: "s3" })).summary.status).toBe("ok");
  expect(refused).toBe(1);
  expect(readdirSync(join(workspace.root, "cache/cloud/journal"), { recursive: true }).join()).toContain(".jsonl");
  expect((await workspace.run()).summary).toMatchObject({ status: "ok", uploads: [] });
});
