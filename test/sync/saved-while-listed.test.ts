import { expect, test } from "bun:test";
import { renameSync } from "node:fs";
import { join } from "node:path";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import type { Platform } from "../../src/platform/contract.ts";
import { createWorkspace, type Workspace } from "../support/workspace.ts";

const FILES = { "assets/a.png": "A", "docs/c.md": "C" };

/** A platform on which `docs/c.md` is away while its folder is listed for the first time, as when a program saves it. */
function savingMeanwhile({ root }: Workspace): { readonly platform: Platform; readonly saves: () => number } {
  const platform = bunPlatform();
  const file = join(root, "docs/c.md");
  let saves = 0;
  const list: Platform["tree"]["list"] = (folder) => {
    if (folder !== join(root, "docs") || saves > 0) return platform.tree.list(folder);
    saves++;
    renameSync(file, `${root}/backup`);
    const listing = platform.tree.list(folder);
    renameSync(`${root}/backup`, file);
    return listing;
  };
  return { platform: { ...platform, tree: { ...platform.tree, list } }, saves: () => saves };
}

test("a run deletes no file that is saved anew while its folder is listed", async () => {
  const workspace = await createWorkspace(FILES);
  await workspace.run();
  const { platform, saves } = savingMeanwhile(workspace);
  const app = await workspace.app({ platform });
  const { plan, summary, manifest } = await app.run({ service: "s3" });
  expect(saves()).toBe(1);
  expect([plan.deletes, summary.deletes, plan.retained]).toEqual([[], [], 1]);
  expect(manifest.skipped).toEqual([{ path: "docs/c.md", reason: "changed" }]);
  expect(workspace.stored("docs/c.md")).toBe("C");
  expect((await workspace.dryRun()).remote_manifest?.entries).toBe(3);
});

test("a dry run plans to delete no such file either", async () => {
  const workspace = await createWorkspace(FILES);
  await workspace.run();
  const { platform, saves } = savingMeanwhile(workspace);
  const app = await workspace.app({ platform });
  const { plan, manifest } = await app.dryRun({ service: "s3" });
  expect(saves()).toBe(1);
  expect([plan.deletes, manifest.skipped]).toEqual([[], [{ path: "docs/c.md", reason: "changed" }]]);
});
