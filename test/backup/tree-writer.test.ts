import { describe, expect, test } from "bun:test";
import { lstatSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import type { TreeWriter } from "../../src/platform/contract.ts";
import { openNodeTreeWriter } from "../../src/platform/node/node-tree-writer.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { filesBelow } from "./backup-bench.ts";

const platform = bunPlatform();
const OPTIONS = { mode: 0o640, mtime: 1_700_000_000 };
const bytes = new TextEncoder().encode("content");

/** The ways in which a new file comes to its name. */
const WRITERS: Readonly<Record<string, (root: string) => TreeWriter>> = {
  "as on Bun": (root) => platform.openTreeWriter(root),
  "with a temp name": (root) => openNodeTreeWriter(root, undefined),
  "where links are refused": (root) => openNodeTreeWriter(root, () => false),
};

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

for (const [way, open] of Object.entries(WRITERS)) {
  describe(`security 16: a folder swapped for a symlink, ${way}`, () => {
    test("before it is entered is refused", () => {
      const { root, outside, swap } = places();
      const writer = open(root);
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
        const writer = open(root);
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

  test(`a file takes its name whole, with its time and permissions, ${way}`, () => {
    const { root } = places();
    const writer = open(root);
    const file = writer.create("a/file", OPTIONS);
    file.write(bytes);
    expect(filesBelow(join(root, "a")).filter((path) => !path.endsWith(".tmp"))).toEqual([]);
    file.commit();
    writer.close();
    const { mode, mtimeMs } = lstatSync(join(root, "a/file"));
    expect([mode & 0o777, mtimeMs]).toEqual([0o640, 1_700_000_000_000]);
    expect(readFileSync(join(root, "a/file"), "utf8")).toBe("content");
    expect(filesBelow(join(root, "a"))).toEqual(["file"]);
  });

  test(`a file that is dropped leaves nothing, ${way}`, () => {
    const { root } = places();
    const writer = open(root);
    const file = writer.create("a/file", OPTIONS);
    file.write(bytes);
    file.abort();
    writer.close();
    expect(filesBelow(root)).toEqual([]);
  });

  test(`what took the name meanwhile is replaced and not followed, ${way}`, () => {
    const { root, outside } = places();
    writeFileSync(join(outside, "target"), "theirs");
    const writer = open(root);
    writeFileSync(join(root, "a/file"), "a longer content than ours");
    symlinkSync(join(outside, "target"), join(root, "a/link"));
    for (const name of ["file", "link"]) {
      const file = writer.create(`a/${name}`, OPTIONS);
      file.write(bytes);
      file.commit();
      expect(lstatSync(join(root, "a", name)).isFile()).toBe(true);
      expect(readFileSync(join(root, "a", name), "utf8")).toBe("content");
    }
    writer.close();
    expect(readFileSync(join(outside, "target"), "utf8")).toBe("theirs");
    expect(filesBelow(join(root, "a")).toSorted()).toEqual(["file", "link"]);
  });

  test(`a temp file's place that a symlink took is not written through, ${way}`, () => {
    const { root, outside } = places();
    const named = openNodeTreeWriter(root, undefined);
    const first = named.create("a/file", OPTIONS);
    const [temp = ""] = filesBelow(join(root, "a"));
    first.abort();
    named.close();
    symlinkSync(join(outside, "target"), join(root, "a", temp));
    // In the way, so that every writer needs the temp name.
    writeFileSync(join(root, "a/file"), "old");
    const writer = open(root);
    const file = writer.create("a/file", OPTIONS);
    file.write(bytes);
    file.commit();
    writer.close();
    expect(filesBelow(outside)).toEqual([]);
    expect(filesBelow(join(root, "a"))).toEqual(["file"]);
    expect(readFileSync(join(root, "a/file"), "utf8")).toBe("content");
  });

  test(`a file that is being written keeps its folder open, however many others are entered meanwhile, ${way}`, () => {
    const { root } = places();
    const writer = open(root);
    const file = writer.create("a/file", OPTIONS);
    for (let i = 0; i < 300; i++) writer.makeFolder(`other/${i}`);
    file.write(bytes);
    file.commit();
    writer.close();
    expect(readFileSync(join(root, "a", "file"), "utf8")).toBe("content");
  });
}
