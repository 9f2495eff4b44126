import { expect, test } from "bun:test";
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
