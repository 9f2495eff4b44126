/** A destination that cannot be reached: a plan falls back on what is known, a run is told of as one that failed. */
import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { SyncError } from "../../src/core/errors.ts";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import { openProvider } from "../../src/providers/local/local-provider.ts";
import { openMemoryProvider } from "../../src/providers/memory/memory-provider.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { codeOf, createWorkspace } from "../support/workspace.ts";

/** A workspace that is mirrored to a folder beside it. */
async function mirroredToFolder() {
  const workspace = await createWorkspace({ "assets/a": "A" });
  const nas = join(tempFolder(), "nas");
  mkdirSync(nas);
  const features = { enable_cloud_sync: true, enable_cloud_sync_local: true };
  workspace.write("config/comfyvn.json", JSON.stringify({ features, sync: { local: { path: nas } } }));
  const app = await workspace.app({ loadProvider: async () => openProvider });
  return { workspace, app, unmount: () => renameSync(nas, `${nas}-elsewhere`) };
}

test("a dry run to a folder that is not mounted plans against the cache and says so", async () => {
  const { app, unmount } = await mirroredToFolder();
  await app.run({ service: "local" });
  unmount();
  const { plan, summary, remote_manifest } = await app.dryRun({ service: "local" });
  app.close();
  expect(summary).toMatchObject({ status: "dry_run", errors: [], provider: "local" });
  expect(summary.warnings).toEqual([expect.stringContaining("provider_container_missing")]);
  expect(plan.files_to_upload).toBe(0);
  expect(remote_manifest?.source).toBe("cache");
});

test("a plan without a destination and without a cache does not say that it knows one", async () => {
  const { app, unmount } = await mirroredToFolder();
  unmount();
  const { plan, summary, remote_manifest } = await app.dryRun({ service: "local" });
  app.close();
  expect(summary.warnings).toEqual([expect.stringContaining("as if the destination were empty")]);
  expect([remote_manifest, plan.files_to_upload > 0]).toEqual([null, true]);
});

test("a run to a folder that is not mounted is in the log and told to tools, not silent", async () => {
  const { workspace, app, unmount } = await mirroredToFolder();
  unmount();
  expect(await codeOf(app.run({ service: "local" }))).toBe("provider_container_missing");
  app.close();
  expect(workspace.events.filter(({ type }) => type === "sync.run")).toMatchObject([
    { service: "local", status: "failed", code: "provider_container_missing", uploads: 0 },
  ]);
  const log = readFileSync(join(workspace.root, "logs/server.log"), "utf8");
  const line = log.split("\n").find((text) => text.includes('"sync.run"')) ?? "{}";
  expect(JSON.parse(line)).toMatchObject({ provider: "local", error: expect.stringContaining("does not exist") });
});

test("a plan does not keep its reader waiting for the end of an outage", async () => {
  const workspace = await createWorkspace({ "assets/a": "A" });
  const app = await workspace.app({
    loadProvider: async () => async () => {
      const provider = openMemoryProvider({ store: workspace.store, newHasher: bunPlatform().newHasher });
      const down = async () => {
        throw new SyncError("provider_unreachable", "the store could not be reached", { retryable: true });
      };
      return { ...provider, get: down, stat: down };
    },
  });
  const { summary } = await app.dryRun({ service: "s3" });
  app.close();
  const waitedS = Number(/waited ([\d.]+) s/.exec(summary.warnings[0] ?? "")?.[1]);
  expect(waitedS).toBeLessThanOrEqual(2);
});
