import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { codeOf, createWorkspace } from "../support/workspace.ts";

const FEATURES = { enable_cloud_sync: true, enable_cloud_sync_local: true };

test("a workspace is never its own mirror, nor part of it", async () => {
  const workspace = await createWorkspace({ "assets/a": "A" });
  const snapshot = basename(workspace.root);
  const mirrorTo = (path: string) =>
    workspace.write("config/comfyvn.json", JSON.stringify({ features: FEATURES, sync: { local: { path } } }));
  const folder = dirname(workspace.root);
  mirrorTo(folder);
  expect(await codeOf(workspace.run({ service: "local", snapshot }))).toBe("provider_config");
  expect(await codeOf(workspace.dryRun({ service: "local", snapshot }))).toBe("provider_config");
  expect(workspace.store.objects.size).toBe(0);
  mirrorTo(dirname(folder));
  expect(await codeOf(workspace.run({ service: "local", snapshot: basename(folder) }))).toBe("provider_config");
  mirrorTo(join(folder, "elsewhere"));
  expect(await codeOf(workspace.run({ service: "local", snapshot }))).toBe("no error");
});

test("a destination in what is mirrored is refused: each run would mirror the copies of the last", async () => {
  const workspace = await createWorkspace({ "assets/a": "A" });
  const codeWith = async (path: string, request: { paths?: string[]; exclude?: string[]; snapshot?: string } = {}) => {
    workspace.write("config/comfyvn.json", JSON.stringify({ features: FEATURES, sync: { local: { path } } }));
    return await codeOf(workspace.dryRun({ service: "local", ...request }));
  };
  const inAssets = join(workspace.root, "assets/mirror");
  mkdirSync(inAssets);
  expect(await codeWith(inAssets)).toBe("provider_config");
  expect(await codeWith(inAssets, { paths: ["assets/mirror/default/assets"] })).toBe("provider_config");
  expect(await codeWith(inAssets, { paths: ["config"] })).toBe("no error");
  expect(await codeWith(inAssets, { exclude: ["assets/mirror"] })).toBe("no error");
  // Under the workspace itself the snapshot's name decides.
  expect(await codeWith(workspace.root, { snapshot: "assets" })).toBe("provider_config");
  expect(await codeWith(workspace.root)).toBe("no error");
  expect(await codeWith(workspace.root, { paths: ["."] })).toBe("provider_config");
});
