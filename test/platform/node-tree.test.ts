import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { $ } from "bun";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import type { TreeListing } from "../../src/platform/contract.ts";
import { tempFolder } from "../support/temp-folder.ts";

const { tree } = bunPlatform();

const NOTHING: TreeListing = { files: [], folders: [], symlinks: [], others: [], invalid: [] };

test("a name that is not UTF-8 is told from one that really holds U+FFFD", () => {
  const folder = tempFolder();
  writeFileSync(join(folder, "real\uFFFD"), "");
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/raw`), Buffer.from([0xff])]), "");
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/raw`), Buffer.from([0xfe])]), "");
  expect(tree.list(folder)).toEqual({ ...NOTHING, files: ["real\uFFFD"], invalid: ["raw\uFFFD"] });
});

test("a lossy name that equals a valid one gives both, each once", () => {
  const folder = tempFolder();
  writeFileSync(join(folder, "x\uFFFD"), "");
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/x`), Buffer.from([0xff])]), "");
  expect(tree.list(folder)).toEqual({ ...NOTHING, files: ["x\uFFFD"], invalid: ["x\uFFFD"] });
});

test("opening a FIFO or a symlink for a scan neither hangs nor follows", async () => {
  const folder = tempFolder();
  await $`mkfifo ${folder}/pipe && ln -s /etc/hostname ${folder}/link`;
  const pipe = tree.open(join(folder, "pipe"));
  expect(pipe.stat().kind).toBe("other");
  pipe.close();
  expect(() => tree.open(join(folder, "link"))).toThrow("cannot be read (ELOOP)");
});
