import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { filesBelow } from "./backup-bench.ts";

const platform = bunPlatform();
const OPTIONS = { mode: 0o644, mtime: 1_700_000_000 };
const bytes = new TextEncoder().encode("content");

/** A root with a folder `a`, and a folder outside. */
function places(): { root: string; outside: string; swap: () => void } {
  const root = tempFolder();
  const outside = tempFolder();
  mkdirSync(join(root, "a"));
  return {
    root,
    outside,
    swap: () => {
      renameSync(join(root, "a"), join(root, "moved"));
      symlinkSync(outside, join(root, "a"));
    },
  };
}

describe("security 16: a folder swapped for a symlink", () => {
  test("before it is entered is refused", () => {
    const { root, outside, swap } = places();
    const writer = platform.openTreeWriter(root);
    swap();
    expect(() => writer.create("a/file", OPTIONS)).toThrow(expect.objectContaining({ code: "restore_conflict" }));
    expect(() => writer.lstat("a/file")).toThrow(expect.objectContaining({ code: "restore_conflict" }));
    expect(() => writer.makeFolder("a/b")).toThrow(expect.objectContaining({ code: "restore_conflict" }));
    writer.close();
    expect(filesBelow(outside)).toEqual([]);
  });

  for (const [when, steps] of [
    ["between two files", 0],
    ["after a file is begun", 1],
    ["after a file is written", 2],
  ] as const) {
    test(`${when} leads nowhere`, () => {
      const { root, outside, swap } = places();
      const writer = platform.openTreeWriter(root);
      expect(writer.lstat("a/file")).toBeUndefined();
      if (steps === 0) swap();
      const file = writer.create("a/file", OPTIONS);
      if (steps === 1) swap();
      file.write(bytes);
      if (steps === 2) swap();
      file.commit();
      writer.close();
      expect(filesBelow(outside)).toEqual([]);
      expect(readFileSync(join(root, "moved", "file"), "utf8")).toBe("content");
    });
  }
});

test("a temp file's place that a symlink took is not written through", () => {
  const { root, outside } = places();
  const writer = platform.openTreeWriter(root);
  const first = writer.create("a/file", OPTIONS);
  const [temp = ""] = filesBelow(join(root, "a"));
  first.abort();
  symlinkSync(join(outside, "target"), join(root, "a", temp));
  const file = writer.create("a/file", OPTIONS);
  file.write(bytes);
  file.commit();
  writer.close();
  expect(filesBelow(outside)).toEqual([]);
  expect(filesBelow(join(root, "a"))).toEqual(["file"]);
});

test("a file that is being written keeps its folder open, however many others are entered meanwhile", () => {
  const { root } = places();
  const writer = platform.openTreeWriter(root);
  const file = writer.create("a/file", OPTIONS);
  for (let i = 0; i < 300; i++) writer.makeFolder(`other/${i}`);
  file.write(bytes);
  file.commit();
  writer.close();
  expect(readFileSync(join(root, "a", "file"), "utf8")).toBe("content");
});
