import { describe, expect, test } from "bun:test";
import { linkSync, mkdirSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HashIndex } from "../../src/manifest/hash-index.ts";
import { HashRecord } from "../../src/manifest/hash-record.ts";
import { createScope } from "../../src/manifest/scope.ts";
import { systemClock } from "../../src/core/clock.ts";
import type { FileStat, TreeReader } from "../../src/platform/contract.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { quickStat } from "./fake-tree.ts";
import { indexedScan, openIndexOf, settledClock, watchedTree } from "./indexed.ts";
import { expectCode, paths, plant, sha256Of, tree, treeWith } from "./support.ts";

function workspace(files: Readonly<Record<string, string>>) {
  const root = tempFolder();
  plant(root, files);
  const { tree: watched, opened } = watchedTree();
  return {
    root,
    at: (path: string) => join(root, path),
    opened,
    scan: (options: Parameters<typeof indexedScan>[1] = {}) => indexedScan(root, { tree: watched, ...options }),
  };
}

const STAT: FileStat = { kind: "file", size: 0, mtimeNs: 0n, ctimeNs: 0n, inode: 1n, device: 1n, mode: 0o644 };
const EVERYTHING = { "a/1": "one", "a/2": "two", "b/c/3": "three", top: "top" };

describe("a file is not read again", () => {
  test("when nothing about it has changed", async () => {
    const { scan: again, opened } = workspace(EVERYTHING);
    const first = await again();
    expect(opened()).toEqual(["1", "2", "3", "top"]);
    const second = await again();
    expect(opened()).toEqual([]);
    expect([...second.manifest.entries.values()]).toEqual([...first.manifest.entries.values()]);
  });

  test("when others in its folder came, went or changed", async () => {
    const { scan: again, opened, at } = workspace(EVERYTHING);
    await again();
    opened();
    plant(at("."), { "a/0": "new", "a/3": "new", "b/c/3": "changed" });
    rmSync(at("a/1"));
    const result = await again();
    expect(opened()).toEqual(["0", "3", "3"]);
    expect(paths(result)).toEqual(["a/0", "a/2", "a/3", "b/c/3", "top"]);
    expect(result.manifest.entries.get("b/c/3")?.sha256).toBe(sha256Of("changed"));
  });

  test("in a folder of more files than one job takes, in whatever piece it is", async () => {
    const { scan: again, opened, at } = workspace({});
    const names = Array.from({ length: 1_300 }, (_, k) => `f${String(k).padStart(4, "0")}`);
    plant(at("."), Object.fromEntries(names.map((name) => [name, name])));
    await again();
    opened();
    plant(at("."), { "a-first": "moves the pieces" });
    const { manifest } = await again();
    expect(opened()).toEqual(["a-first"]);
    expect(
      [...manifest.entries.values()].every(({ path, sha256 }) => path === "a-first" || sha256 === sha256Of(path)),
    ).toBe(true);
  });

  test("when a scan of something else came between", async () => {
    const { scan: again, opened } = workspace(EVERYTHING);
    await again();
    opened();
    for (const include of [["a/1"], ["b"], ["top"], []]) {
      await again({ scope: createScope({ include, exclude: [] }) });
      await again({ scope: createScope({ include: ["."], exclude: ["a/1", "*/3"] }) });
    }
    await again();
    expect(opened()).toEqual([]);
  });

  test("when it was hashed before a scan was cancelled", async () => {
    const { scan: again, opened } = workspace(EVERYTHING);
    const controller = new AbortController();
    const abort = (path: string) => {
      if (path.endsWith("/3")) controller.abort();
      Bun.sleepSync(12);
      return tree.open(path);
    };
    await expectCode(() => again({ tree: treeWith({ open: abort }), signal: controller.signal }), "aborted");
    await again();
    expect(opened()).toEqual(["3"]);
  });

  test("when its folder moved with the whole workspace", async () => {
    const { scan: again, opened, root } = workspace({ "w/a": "a", "w/b/c": "c" });
    await indexedScan(join(root, "w"));
    renameSync(join(root, "w"), join(root, "moved"));
    const { tree: watched, opened: openedThere } = watchedTree();
    expect(paths(await indexedScan(join(root, "moved"), { tree: watched }))).toEqual(["a", "b/c"]);
    expect(openedThere()).toEqual([]);
    expect([again, opened]).toHaveLength(2);
  });

  test("whether it is reached by its own path or through a symlink", async () => {
    const { scan: again, opened, at } = workspace({ "real/1": "one" });
    symlinkSync("real", at("alias"));
    await again();
    opened();
    const { manifest } = await again({ followSymlinks: true });
    expect(opened()).toEqual([]);
    expect(manifest.entries.get("alias/1")?.sha256).toBe(sha256Of("one"));
  });
});

describe("a file is read again", () => {
  test("when other bytes of the same length were written and its mtime put back", async () => {
    const { scan: again, at } = workspace(EVERYTHING);
    await again();
    const { atime, mtime } = statSync(at("a/1"));
    writeFileSync(at("a/1"), "eno");
    utimesSync(at("a/1"), atime, mtime);
    expect((await again()).manifest.entries.get("a/1")?.sha256).toBe(sha256Of("eno"));
  });

  test("when another of the same size and mtime took its place", async () => {
    const { scan: again, at } = workspace({ "a/1": "one", "a/2": "two" });
    for (const path of ["a/1", "a/2"]) utimesSync(at(path), 1_000, 1_000);
    await again();
    renameSync(at("a/1"), at("a/3"));
    renameSync(at("a/2"), at("a/1"));
    renameSync(at("a/3"), at("a/2"));
    const { entries } = (await again()).manifest;
    expect([entries.get("a/1")?.sha256, entries.get("a/2")?.sha256]).toEqual([sha256Of("two"), sha256Of("one")]);
  });

  test("when one with nearly the same inode took its place, and inodes are larger than a double holds", async () => {
    const { scan: again } = workspace({ "a/1": "one" });
    let inode = 2n ** 60n;
    let opened = 0;
    const stat = (path: string) => ({ ...tree.lstat(path), inode }) as FileStat;
    const wide = treeWith({
      lstat: stat,
      glance: (path) => quickStat(stat(path)),
      open: (path) => {
        opened++;
        return { ...tree.open(path), stat: () => stat(path), glance: () => quickStat(stat(path)) };
      },
    });
    for (const expected of [1, 1]) {
      await again({ tree: wide });
      expect(opened).toBe(expected);
    }
    inode++;
    await again({ tree: wide });
    expect(opened).toBe(2);
  });

  test("when it was written less than two seconds before it was hashed", async () => {
    const { scan: again, opened } = workspace(EVERYTHING);
    await again({ clock: systemClock });
    opened();
    await again();
    expect(opened()).toEqual(["1", "2", "3", "top"]);
    await again();
    expect(opened()).toEqual([]);
  });

  test("when its mtime lies in the future", async () => {
    const { scan: again, at, opened } = workspace(EVERYTHING);
    utimesSync(at("top"), 4_000_000_000, 4_000_000_000);
    await again();
    opened();
    await again();
    expect(opened()).toEqual(["top"]);
  });

  test("when the clock went backwards since it was hashed", async () => {
    const { scan: again, opened } = workspace(EVERYTHING);
    await again({ clock: settledClock(7_200_000) });
    opened();
    await again({ clock: settledClock(3_600_000) });
    expect(opened()).toEqual(["1", "2", "3", "top"]);
  });

  test("when the scan is told to rehash, which mends the index for the next", async () => {
    const { scan: again, opened } = workspace(EVERYTHING);
    await again();
    opened();
    await again({ rehash: true });
    expect(opened()).toEqual(["1", "2", "3", "top"]);
    await again();
    expect(opened()).toEqual([]);
  });

  test("when a folder of its name took its place and went again", async () => {
    const { scan: again, at } = workspace({ x: "file" });
    await again();
    rmSync(at("x"));
    mkdirSync(at("x"));
    plant(at("."), { "x/y": "inside" });
    expect(paths(await again())).toEqual(["x/y"]);
    rmSync(at("x"), { recursive: true });
    plant(at("."), { x: "elif" });
    expect((await again()).manifest.entries.get("x")?.sha256).toBe(sha256Of("elif"));
  });
});

test("large files are remembered like small ones", async () => {
  const content = "l".repeat(3_000_000);
  const { scan: again, opened } = workspace({ "a/large": content, "a/small": "s" });
  await again();
  opened();
  const { manifest } = await again();
  expect(opened()).toEqual([]);
  expect(manifest.entries.get("a/large")?.sha256).toBe(sha256Of(content));
});

test("large files hashed before a scan was cancelled are remembered, the rest of their folder unforgotten", async () => {
  const large = "l".repeat(2_000_000);
  const { scan: again, opened, root } = workspace({ "a/known": "k" });
  await again();
  plant(root, { "a/x": `${large}x`, "a/y": `${large}y` });
  const controller = new AbortController();
  let reads = 0;
  const abort = (path: string) => {
    const file = tree.open(path);
    // The first large file takes three reads; the look at each that finds it large takes none.
    const read = (into: Uint8Array) => (++reads > 3 && controller.abort(), Bun.sleepSync(12), file.read(into));
    return { ...file, read };
  };
  await expectCode(() => again({ tree: treeWith({ open: abort }), signal: controller.signal }), "aborted");
  opened();
  await again();
  // Each large file is opened twice: once to see that it is large.
  expect(opened()).toHaveLength(2);
});

test("much that is new is kept while the scan goes on, little once it ends", () => {
  const saved: number[] = [];
  const save = (changed: readonly HashRecord[]) => void saved.push(changed.length);
  const index = new HashIndex({ load: () => [], save, close: () => undefined }, "/w/");
  const take = (key: string) => {
    const names = Array.from({ length: 4_000 }, (_, k) => `${k}`).toSorted();
    const record = HashRecord.create(key, names.join("\0"), names.length, 0);
    for (const row of names.keys()) record.setHashed(row, STAT, sha256Of(""), 0);
    index.update(key, [record], 0);
    index.saveMuch();
  };
  for (let folder = 0; folder < 7; folder++) take(`${folder}/`);
  expect(saved).toHaveLength(1);
  index.close();
  expect(saved).toHaveLength(2);
  expect(saved.reduce((sum, records) => sum + records)).toBe(7);
});

test("the index forgets files and folders that are gone", async () => {
  const { scan: again, root } = workspace({ "a/1": "1", "b/2": "2", keep: "" });
  await again();
  rmSync(join(root, "a"), { recursive: true });
  rmSync(join(root, "b/2"));
  await again();
  const index = await openIndexOf(root);
  expect(["a/", "b/", ""].map((key) => index?.known(key, []).flatMap((record) => record.names()))).toEqual([
    [],
    [],
    ["keep"],
  ]);
  index?.close();
});

/** The tree on a mount that got the number `device`, but for what is below `elsewhere`. */
function mountedAs(device: bigint, elsewhere?: string): TreeReader {
  const moved = (stat: FileStat | undefined, path: string) =>
    stat && { ...stat, device: elsewhere !== undefined && path.startsWith(elsewhere) ? device + 1n : device };
  return treeWith({
    lstat: (path) => moved(tree.lstat(path), path),
    stat: (path) => moved(tree.stat(path), path),
    open: (path, options) => {
      const file = tree.open(path, options);
      return { ...file, stat: () => moved(file.stat(), path) ?? file.stat() };
    },
  });
}

describe("where the index knows an old number of the device", () => {
  const FILES = { "config/comfyvn.secrets.json": "vault", "a/1": "one" };

  test.each(["a", "a/innocent.json"])("a hard link to the vault in %s is still not taken", async (include) => {
    const { at, scan: again } = workspace(FILES);
    linkSync(at("config/comfyvn.secrets.json"), at("a/innocent.json"));
    const scope = createScope({ include: [include], exclude: [] });
    for (const device of [7n, 8n]) {
      const result = await again({ scope, tree: mountedAs(device) });
      expect(result.skipped).toEqual([{ path: "a/innocent.json", reason: "protected" }]);
    }
  });

  test("a file that has the vault's inode on another device is recorded", async () => {
    const { at, scan: again } = workspace(FILES);
    linkSync(at("config/comfyvn.secrets.json"), at("a/other"));
    const scope = createScope({ include: ["a"], exclude: [] });
    for (const device of [7n, 9n])
      expect(paths(await again({ scope, tree: mountedAs(device, at("a")) }))).toEqual(["a/1", "a/other"]);
  });
});
