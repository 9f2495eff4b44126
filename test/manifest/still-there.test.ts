import { expect, test } from "bun:test";
import { join } from "node:path";
import { SyncError } from "../../src/core/errors.ts";
import { stillThere } from "../../src/manifest/still-there.ts";
import type { TreeReader } from "../../src/platform/contract.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { plant, tree, treeWith } from "./support.ts";

/** The tree as a file system shows it that takes `A` for `a`. */
function caseless(root: string): TreeReader {
  return treeWith({ lstat: (path) => tree.lstat(root + path.slice(root.length).toLowerCase()) });
}

test("what is gone is not there", async () => {
  const root = tempFolder();
  plant(root, { "a/kept": "1", file: "2" });
  expect(await stillThere(tree, root, ["a/gone", "gone", "gone/file", "file/below"])).toEqual([]);
});

test("a file that came back after it was not found is there", async () => {
  const root = tempFolder();
  plant(root, { "a/saved": "1" });
  expect(await stillThere(tree, root, ["a/saved"])).toEqual([{ path: "a/saved", reason: "changed" }]);
});

test("a file that no listing shows while it is saved all the time is there", async () => {
  const root = tempFolder();
  plant(root, { "a/saved": "1", "a/other": "2" });
  const list = (folder: string) => ({ ...tree.list(folder), files: ["other"] });
  expect(await stillThere(treeWith({ list }), root, ["a/saved"])).toEqual([{ path: "a/saved", reason: "changed" }]);
});

test("a folder in a file's place is not that file", async () => {
  const root = tempFolder();
  plant(root, { "a/b/c": "1" });
  expect(await stillThere(tree, root, ["a/b"])).toEqual([]);
});

test.each(["Sprite.png", "Art/sprite.png"])("%s renamed to lower case is gone where case is ignored", async (path) => {
  const root = tempFolder();
  plant(root, { [path.toLowerCase()]: "1" });
  expect(caseless(root).lstat(join(root, path))?.kind).toBe("file");
  expect(await stillThere(caseless(root), root, [path])).toEqual([]);
});

test("what cannot be looked at is there, unless its folder shows that it is not", async () => {
  const root = tempFolder();
  plant(root, { "a/locked": "1" });
  const lstat = () => {
    throw new SyncError("file_unreadable", "scripted");
  };
  expect(await stillThere(treeWith({ lstat }), root, ["a/locked", "a/gone"])).toEqual([
    { path: "a/locked", reason: "unreadable" },
  ]);
  const list = lstat;
  expect(await stillThere(treeWith({ lstat, list }), root, ["b/any"])).toEqual([
    { path: "b/any", reason: "unreadable" },
  ]);
});
