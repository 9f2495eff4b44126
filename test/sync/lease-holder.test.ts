import { expect, test } from "bun:test";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import { loadLeaseHolder } from "../../src/sync/lease-holder.ts";
import { tempFolder } from "../support/temp-folder.ts";

const { files, newHasher } = bunPlatform();
const load = (root: string, machine = "studio-pc, process 1") => loadLeaseHolder(files, root, machine, newHasher);

test("a workspace is the same writer after a restart, and another one on another machine", async () => {
  const root = tempFolder();
  const first = await load(root);
  expect((await load(root, "studio-pc, process 2")).workspace).toBe(first.workspace);
  expect((await load(root, "laptop, process 1")).workspace).not.toBe(first.workspace);
});

test("a copy of a workspace on the same machine is another writer: its runs must not take the original's for dead", async () => {
  const folder = tempFolder();
  const root = join(folder, "studio");
  const { workspace } = await load(root);
  cpSync(root, join(folder, "studio copy"), { recursive: true });
  expect((await load(join(folder, "studio copy"))).workspace).not.toBe(workspace);
  expect((await load(root)).workspace).toBe(workspace);
});

test("where a workspace lies is not told to the destination", async () => {
  const root = join(tempFolder(), "a private name");
  expect((await load(root)).workspace).not.toContain("private");
});
