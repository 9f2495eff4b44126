import { describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SyncError } from "../../src/core/errors.ts";
import { createScope } from "../../src/manifest/scope.ts";
import { walkTree } from "../../src/manifest/walk.ts";
import type { TreeListing } from "../../src/platform/contract.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { VirtualClock } from "../support/virtual-clock.ts";
import { quickStat } from "./fake-tree.ts";
import { expectCode, paths, plant, reasons, scan, sha256Of, tree, treeWith } from "./support.ts";

/** A workspace with `files`, and paths below it. */
function workspace(files: Readonly<Record<string, string>> = {}): {
  readonly root: string;
  readonly at: (path: string) => string;
} {
  const root = tempFolder();
  plant(root, files);
  return { root, at: (path) => join(root, path) };
}

/** What is in a folder, and a file that is not. */
function withFile(listing: TreeListing, name: string): TreeListing {
  return { ...listing, files: [...listing.files, name] };
}

describe("a scan records", () => {
  test("path, size, mtime and sha256 of each file", async () => {
    const { root, at } = workspace({ "assets/é.txt": "hello", "assets/empty": "" });
    utimesSync(at("assets/é.txt"), 1_731_912_306, 1_731_912_306);
    const { manifest } = await scan(root, { name: "nightly", clock: new VirtualClock() });
    expect(manifest.entries.get("assets/é.txt")).toEqual({
      path: "assets/é.txt",
      size: 5,
      mtime: 1_731_912_306,
      sha256: sha256Of("hello"),
    });
    expect(manifest.entries.get("assets/empty")).toMatchObject({ size: 0, sha256: sha256Of("") });
    expect({ ...manifest, entries: undefined }).toEqual({
      name: "nightly",
      root,
      created_at: "1970-01-01T00:00:00.000000+00:00",
      entries: undefined,
    });
  });

  test("mtimes to the nanosecond, and before 1970", async () => {
    const { root, at } = workspace({ a: "", b: "" });
    execFileSync("touch", ["-d", "@1731912306.123456789", at("a")]);
    execFileSync("touch", ["-d", "@-1.25", at("b")]);
    const { manifest } = await scan(root);
    expect(manifest.entries.get("a")?.mtime).toBe(1_731_912_306 + 1e-9 * 123_456_789);
    expect(manifest.entries.get("b")?.mtime).toBe(-1.25);
  });

  test("files whose mtimes lie centuries away, where doubles have no microseconds", async () => {
    const names = Array.from({ length: 200 }, (_, k) => `f${k}`);
    const { root, at } = workspace(Object.fromEntries(names.map((name) => [name, ""])));
    for (const [k, name] of names.entries()) utimesSync(at(name), 0, 14e9 + k / 7);
    const { manifest, skipped } = await scan(root);
    expect([manifest.entries.size, skipped]).toEqual([names.length, []]);
  });

  test("files larger than its buffer, and their last byte", async () => {
    const content = "x".repeat(2_500_000);
    const { root } = workspace({ large: `${content}1`, exact: "y".repeat(1_048_576) });
    const { manifest } = await scan(root);
    expect(manifest.entries.get("large")?.sha256).toBe(sha256Of(`${content}1`));
    expect(manifest.entries.get("exact")?.sha256).toBe(sha256Of("y".repeat(1_048_576)));
  });

  test("in code point order of the whole path, not of each name", async () => {
    const names = ["a/b", "a-b", "a.b", "a/c", "a b", "A", "\uFFFD", "😀", "a!/x", "a0"];
    const { root } = workspace(Object.fromEntries(names.map((name) => [name, ""])));
    expect(paths(await scan(root))).toEqual(["A", "a b", "a!/x", "a-b", "a.b", "a/b", "a/c", "a0", "\uFFFD", "😀"]);
  });

  test("in that order from the walk on, so that a million paths need no sorting again", async () => {
    const { root } = workspace(
      Object.fromEntries(["a/b", "a-b", "a.b", "a/c/d", "a/c-d", "b"].map((name) => [name, ""])),
    );
    const scope = createScope({ include: ["b", "a", "a.b", "a-b"], exclude: [] });
    const { files } = await walkTree({ tree, root, scope, followSymlinks: false });
    expect(files.map(({ path }) => path)).toEqual(["a-b", "a.b", "a/b", "a/c-d", "a/c/d", "b"]);
  });

  test("names that only some systems allow", async () => {
    const odd = ["back\\slash", "line\nbreak", "c:drive", "con", "trailing. ", "__proto__", "a+b%20"];
    const { root } = workspace(Object.fromEntries(odd.map((name) => [name, "x"])));
    const result = await scan(root);
    expect(paths(result).toSorted()).toEqual(odd.toSorted());
    expect(result.skipped).toEqual([]);
  });

  test("a tree as deep as paths can be, and no deeper", async () => {
    const { root } = workspace();
    const endless = treeWith({
      list: () => ({ files: ["f"], folders: ["d"], symlinks: [], others: [], invalid: [] }),
      open: () => tree.open("/dev/null"),
    });
    const result = await scan(root, { tree: endless });
    // Of 4,096 characters: 2,048 folders of two, the last of which has no room for a name below it.
    expect(result.skipped.filter(({ reason }) => reason === "invalid_name")).toHaveLength(2);
    expect(result.skipped).toHaveLength(2 + 2_048);
  });

  test("the same for the same tree, however it came to be", async () => {
    const names = ["b/1", "a/2", "a-1", "c"];
    const one = workspace(Object.fromEntries(names.map((name) => [name, name])));
    const other = workspace(Object.fromEntries(names.toReversed().map((name) => [name, name])));
    const content = async (root: string) =>
      [...(await scan(root)).manifest.entries.values()].map((e) => [e.path, e.sha256]);
    expect(await content(one.root)).toEqual(await content(other.root));
  });
});

describe("a scope decides", () => {
  test("an include that is a file is that file", async () => {
    const { root } = workspace({ "assets/a": "1", "assets/b": "2" });
    expect(paths(await scan(root, { scope: createScope({ include: ["assets/a"] }) }))).toEqual(["assets/a"]);
  });

  test("an include at which there is nothing is named", async () => {
    const { root } = workspace({ "assets/a": "1" });
    const scope = createScope({ include: ["assets", "models", "assets-2/x", "assets/a/inside"], exclude: [] });
    const result = await scan(root, {
      scope: createScope({ include: ["assets/a/inside", "models/x", "models"], exclude: [] }),
    });
    expect(result.missingIncludes).toEqual(["assets/a/inside", "models"]);
    expect(result.manifest.entries.size).toBe(0);
    expect((await scan(root, { scope })).missingIncludes).toEqual(["assets-2/x", "models", "assets/a/inside"]);
  });

  test("an excluded folder is not even listed", async () => {
    const { root, at } = workspace({ "assets/keep": "1", "assets/private/a": "2", "cache/b": "3" });
    const listed: string[] = [];
    const watching = treeWith({ list: (folder) => (listed.push(folder), tree.list(folder)) });
    const result = await scan(root, {
      tree: watching,
      scope: createScope({ include: ["assets", "cache"], exclude: ["cache", "*/private"] }),
    });
    expect(paths(result)).toEqual(["assets/keep"]);
    expect(result.skipped).toEqual([]);
    expect(result.missingIncludes).toEqual([]);
    expect(listed).toEqual([at("assets")]);
  });

  test("the vault, environment files and this product's folders stay out though all is included", async () => {
    const { root } = workspace({
      "config/comfyvn.secrets.json": "vault",
      "config/.comfyvn.secrets.json.0123456789abcdef.tmp": "t",
      "config/comfyvn.secrets.json.lock": "",
      "config/comfyvn.json": "{}",
      "assets/.env": "KEY=1",
      ".env.local": "KEY=2",
      "cache/cloud/index.sqlite": "i",
      "cache/thumbs/a": "c",
      "backups/cloud/a.zip": "z",
      "logs/server.log": "l",
    });
    expect(paths(await scan(root))).toEqual(["cache/thumbs/a", "config/comfyvn.json"]);
  });

  test("a hard link to the vault is not taken under its other name", async () => {
    const { root, at } = workspace({ "config/comfyvn.secrets.json": "vault", "assets/a": "1" });
    linkSync(at("config/comfyvn.secrets.json"), at("assets/innocent.json"));
    const result = await scan(root);
    expect(paths(result)).toEqual(["assets/a"]);
    expect(reasons(result)).toEqual({ "assets/innocent.json": "protected" });
  });

  test("a vault kept elsewhere is protected when the caller names it", async () => {
    const { root, at } = workspace({ "studio/keys.json": "vault", "studio/a": "1" });
    const result = await scan(root, { protect: [at("studio/keys.json")] });
    expect(paths(result)).toEqual(["studio/a"]);
    expect(reasons(result)).toEqual({ "studio/keys.json": "protected" });
  });

  test("where every file has the inode 0, files other than the vault are still recorded", async () => {
    const { root } = workspace({ "config/comfyvn.secrets.json": "vault", "assets/a": "1" });
    const numberless = treeWith({
      stat: (path) => {
        const stat = tree.stat(path);
        return stat && { ...stat, inode: 0n };
      },
      open: (path) => {
        const file = tree.open(path);
        const stat = () => ({ ...file.stat(), inode: 0n });
        return { ...file, stat, glance: () => quickStat(stat()) };
      },
    });
    expect(paths(await scan(root, { tree: numberless }))).toEqual(["assets/a"]);
  });

  test("a folder named Logs is the user's, unless the file system takes it for logs", async () => {
    const { root, at } = workspace({ "logs/server.log": "l", "Logs/chapter": "1" });
    expect(paths(await scan(root))).toEqual(["Logs/chapter"]);
    const caseless = treeWith({ lstat: (path) => tree.lstat(path === at("Logs") ? at("logs") : path) });
    const result = await scan(root, { tree: caseless });
    expect(paths(result)).toEqual([]);
    expect(reasons(result)).toEqual({ Logs: "protected" });
  });
});

describe("what cannot be recorded is skipped and never missing", () => {
  test("pipes and sockets, without opening them", async () => {
    const { root, at } = workspace({ a: "1" });
    execFileSync("mkfifo", [at("pipe")]);
    const server = Bun.listen({ unix: at("socket"), socket: { data: () => undefined } });
    const result = await scan(root);
    server.stop(true);
    expect(paths(result)).toEqual(["a"]);
    expect(reasons(result)).toEqual({ pipe: "not_a_file", socket: "not_a_file" });
  });

  test("a pipe named outright, and one that takes a file's place after the folder was listed", async () => {
    const { root, at } = workspace({ a: "1" });
    execFileSync("mkfifo", [at("pipe")]);
    expect(reasons(await scan(root, { scope: createScope({ include: ["pipe"] }) }))).toEqual({ pipe: "not_a_file" });
    const late = treeWith({
      list: (folder) => {
        const { files, others } = tree.list(folder);
        return { files: [...files, ...others], folders: [], symlinks: [], others: [], invalid: [] };
      },
    });
    expect(reasons(await scan(root, { tree: late }))).toEqual({ pipe: "not_a_file" });
  });

  test("names that are not valid UTF-8", async () => {
    const { root } = workspace({ a: "1" });
    const shell =
      "printf x > \"$(printf 'bad\\377name')\" && mkdir \"$(printf 'dir\\376')\" && printf y > \"$(printf 'dir\\376/in')\"";
    execFileSync("sh", ["-c", shell], { cwd: root });
    const result = await scan(root);
    expect(paths(result)).toEqual(["a"]);
    expect(Object.values(reasons(result))).toEqual(["invalid_name", "invalid_name"]);
  });

  test("a file that cannot be opened", async () => {
    const { root, at } = workspace({ a: "1", b: "2" });
    const refusing = treeWith({
      open: (path) => {
        if (path === at("b")) throw new SyncError("file_unreadable", "EACCES");
        return tree.open(path);
      },
    });
    const result = await scan(root, { tree: refusing });
    expect([paths(result), reasons(result)]).toEqual([["a"], { b: "unreadable" }]);
  });

  test("a file whose disk fails in the middle", async () => {
    const { root, at } = workspace({ a: "1", b: "2".repeat(3_000_000) });
    const failing = treeWith({
      open: (path) => {
        const file = tree.open(path);
        let reads = 0;
        const read = (into: Uint8Array) => {
          if (path === at("b") && ++reads > 1) throw new SyncError("file_unreadable", "EIO");
          return file.read(into);
        };
        return { ...file, read };
      },
    });
    const result = await scan(root, { tree: failing });
    expect([paths(result), reasons(result)]).toEqual([["a"], { b: "unreadable" }]);
  });

  test("a folder that cannot be listed, with everything below it", async () => {
    const { root, at } = workspace({ "a/1": "1", "b/2": "2" });
    const refusing = treeWith({
      list: (folder) => {
        if (folder === at("b")) throw new SyncError("file_unreadable", "EACCES");
        return tree.list(folder);
      },
    });
    const result = await scan(root, { tree: refusing });
    expect([paths(result), reasons(result)]).toEqual([["a/1"], { b: "unreadable" }]);
  });

  test("an include that the file system will not tell about", async () => {
    const { root, at } = workspace({ "a/1": "1" });
    const refusing = treeWith({
      lstat: (path) => {
        if (path === at("a")) throw new SyncError("file_unreadable", "EIO");
        return tree.lstat(path);
      },
    });
    const result = await scan(root, { tree: refusing, scope: createScope({ include: ["a"] }) });
    expect([result.missingIncludes, reasons(result)]).toEqual([[], { a: "unreadable" }]);
  });

  test("a file that vanishes after its folder was listed", async () => {
    const { root } = workspace({ a: "1", b: "2" });
    const vanishing = treeWith({
      list: (folder) => withFile(tree.list(folder), "gone"),
    });
    const result = await scan(root, { tree: vanishing });
    expect([paths(result), reasons(result)]).toEqual([["a", "b"], { gone: "vanished" }]);
  });

  test("a name that the file system gives twice, which is recorded once", async () => {
    const { root } = workspace({ a: "1", b: "2", c: "3" });
    const twice = treeWith({ list: (folder) => withFile(withFile(tree.list(folder), "b"), "a") });
    const { manifest } = await scan(root, { tree: twice });
    expect([...manifest.entries.keys()]).toEqual(["a", "b", "c"]);
  });

  test("a folder that vanishes before it is entered", async () => {
    const { root, at } = workspace({ "a/1": "1", "b/2": "2" });
    const vanishing = treeWith({
      list: (folder) => {
        if (folder === at("a")) rmSync(at("b"), { recursive: true });
        return tree.list(folder);
      },
    });
    const result = await scan(root, { tree: vanishing });
    expect([paths(result), reasons(result)]).toEqual([["a/1"], { b: "vanished" }]);
  });

  test("a file swapped for a symlink after its folder was listed", async () => {
    const { root, at } = workspace({ a: "1", b: "2" });
    const outside = workspace({ secret: "s" });
    const swapping = treeWith({
      list: (folder) => {
        const entries = tree.list(folder);
        rmSync(at("b"));
        symlinkSync(outside.at("secret"), at("b"));
        return entries;
      },
    });
    const result = await scan(root, { tree: swapping });
    expect([paths(result), reasons(result)]).toEqual([["a"], { b: "unreadable" }]);
  });

  test("a path longer than manifests hold, though the file system gave it", async () => {
    const { root } = workspace({ "a/1": "1" });
    const name = "n".repeat(5_000);
    const long = treeWith({ list: (folder) => withFile(tree.list(folder), name) });
    const result = await scan(root, { tree: long, scope: createScope({ include: ["a"] }) });
    expect([paths(result), reasons(result)]).toEqual([["a/1"], { [`a/${name}`]: "invalid_name" }]);
  });

  test("an error that is not the file system's ends the scan", async () => {
    const { root } = workspace({ a: "1" });
    const broken = treeWith({
      open: () => {
        throw new RangeError("a defect");
      },
    });
    await expect(scan(root, { tree: broken })).rejects.toThrow(RangeError);
  });
});

describe("a workspace that is not there is never an empty one", () => {
  test("when nothing is at its path, or a file is", async () => {
    const { root, at } = workspace({ file: "1" });
    await expectCode(() => scan(at("missing")), "root_missing");
    const scope = createScope({ include: ["assets"] });
    await expectCode(() => scan(at("file")), "root_missing");
    await expectCode(() => scan(at("file"), { scope }), "root_missing");
    await expectCode(() => scan(at("missing"), { scope }), "root_missing");
    expect(paths(await scan(root))).toEqual(["file"]);
  });

  test("when it cannot be looked at or listed", async () => {
    const { root } = workspace({ file: "1" });
    const refuse = () => {
      throw new SyncError("file_unreadable", "EACCES");
    };
    await expectCode(() => scan(root, { tree: treeWith({ stat: refuse }) }), "root_missing");
    await expectCode(() => scan(root, { tree: treeWith({ list: refuse }) }), "root_missing");
  });
});

describe("a long scan", () => {
  test("gives the event loop its turn", async () => {
    const { root } = workspace(Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`${i}`, "x"])));
    let turnsOfOthers = 0;
    const others = setInterval(() => turnsOfOthers++, 1);
    const slow = treeWith({
      open: (path) => {
        Bun.sleepSync(1);
        return tree.open(path);
      },
    });
    await scan(root, { tree: slow });
    clearInterval(others);
    expect(turnsOfOthers).toBeGreaterThan(5);
  });

  test("gives the event loop its turn between folders", async () => {
    const { root } = workspace(Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`${i}/f`, "x"])));
    let turnsOfOthers = 0;
    const others = setInterval(() => turnsOfOthers++, 1);
    const turnsSeen: number[] = [];
    const slow = treeWith({
      list: (folder) => {
        turnsSeen.push(turnsOfOthers);
        Bun.sleepSync(15);
        return tree.list(folder);
      },
    });
    await scan(root, { tree: slow });
    clearInterval(others);
    expect(turnsSeen.at(-1)).toBeGreaterThan(5);
  });

  test("ends when it is cancelled, also inside one large file", async () => {
    const { root } = workspace({ large: "x".repeat(8_000_000) });
    const controller = new AbortController();
    let reads = 0;
    let closed = 0;
    const slow = treeWith({
      open: (path) => {
        const file = tree.open(path);
        const read = (into: Uint8Array) => {
          if (++reads === 2) controller.abort();
          Bun.sleepSync(15);
          return file.read(into);
        };
        return { ...file, read, close: () => (closed++, file.close()) };
      },
    });
    await expectCode(() => scan(root, { tree: slow, signal: controller.signal }), "aborted");
    expect(reads).toBeLessThan(8);
    // Opened twice: once to see that it is large.
    expect(closed).toBe(2);
    await expectCode(() => scan(root, { signal: AbortSignal.abort() }), "aborted");
  });

  test("tells how far it is, and at the end that it is done", async () => {
    const { root } = workspace({ a: "123", b: "4567" });
    const seen: unknown[] = [];
    await scan(root, { onProgress: (progress) => seen.push(progress) });
    expect(seen.at(-1)).toEqual({ filesDone: 2, filesTotal: 2, bytesDone: 7 });
  });
});

test("a file put under a folder's name, and folders without files, are no trouble", async () => {
  const { root, at } = workspace({ "a/b": "1" });
  mkdirSync(at("empty/inner"), { recursive: true });
  writeFileSync(at("empty.txt"), "");
  expect(paths(await scan(root))).toEqual(["a/b", "empty.txt"]);
});
