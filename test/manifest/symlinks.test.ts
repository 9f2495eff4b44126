import { describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { SyncError } from "../../src/core/errors.ts";
import type { ScanResult } from "../../src/manifest/scan.ts";
import { createScope } from "../../src/manifest/scope.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { paths, plant, reasons, scan, sha256Of, treeWith } from "./support.ts";

/** A workspace with files (path to content) and symlinks (path to target). */
function workspace(files: Readonly<Record<string, string>>, links: Readonly<Record<string, string>>): string {
  const root = tempFolder();
  plant(root, files);
  for (const [path, target] of Object.entries(links)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    symlinkSync(target, join(root, path));
  }
  return root;
}

function follow(
  root: string,
  include: readonly string[] = ["."],
  exclude: readonly string[] = [],
): Promise<ScanResult> {
  return scan(root, { followSymlinks: true, scope: createScope({ include, exclude }) });
}

describe("symlinks that are not followed", () => {
  test("are skipped, whatever they lead to", async () => {
    const root = workspace({ "assets/a": "1" }, { file: "assets/a", folder: "assets", broken: "nowhere" });
    const result = await scan(root);
    expect(paths(result)).toEqual(["assets/a"]);
    expect(reasons(result)).toEqual({ broken: "symlink", file: "symlink", folder: "symlink" });
  });

  test("are not entered by an include that leads through one, and the skip covers it", async () => {
    const root = workspace({ "real/sub/a": "1" }, { link: "real" });
    const result = await scan(root, { scope: createScope({ include: ["link/sub", "link/other"] }) });
    expect(paths(result)).toEqual([]);
    expect(result.skipped).toEqual([{ path: "link", reason: "symlink" }]);
    expect(result.missingIncludes).toEqual([]);
  });

  test("that an exclude names are not mentioned", async () => {
    const root = workspace({ a: "1" }, { "tmp/link": "../a" });
    expect((await scan(root, { scope: createScope({ include: ["."], exclude: ["tmp"] }) })).skipped).toEqual([]);
  });
});

describe("symlinks that are followed", () => {
  test("give their target's content under their own path", async () => {
    const root = workspace(
      { "real/sub/a": "1", "real/b": "2" },
      { "x/file": "../real/b", "x/folder": "../real", chain: "x/file" },
    );
    const result = await follow(root);
    expect(paths(result)).toEqual(["chain", "real/b", "real/sub/a", "x/file", "x/folder/b", "x/folder/sub/a"]);
    expect(result.manifest.entries.get("chain")?.sha256).toBe(sha256Of("2"));
    expect(result.skipped).toEqual([]);
  });

  test("sort as folders when they lead to one", async () => {
    const root = workspace({ "real/x": "1", "a-b": "2" }, { a: "real" });
    expect(paths(await follow(root))).toEqual(["a-b", "a/x", "real/x"]);
  });

  test("let an include lead through them", async () => {
    const root = workspace({ "real/sub/a": "1" }, { link: "real" });
    expect(paths(await follow(root, ["link/sub"]))).toEqual(["link/sub/a"]);
    expect((await follow(root, ["link/none"])).missingIncludes).toEqual(["link/none"]);
  });

  test("may lead two ways to one folder", async () => {
    const root = workspace({ "shared/a": "1" }, { "ch1/s": "../shared", "ch2/s": "../shared" });
    expect(paths(await follow(root))).toEqual(["ch1/s/a", "ch2/s/a", "shared/a"]);
  });

  test("end when they lead to themselves", async () => {
    const root = workspace({ a: "1" }, { self: "self", ping: "pong", pong: "ping" });
    const result = await follow(root);
    expect(paths(result)).toEqual(["a"]);
    expect(reasons(result)).toEqual({ ping: "symlink_cycle", pong: "symlink_cycle", self: "symlink_cycle" });
  });

  test("end when they lead to a folder they are in", async () => {
    const root = workspace({ "a/b/file": "1" }, { "a/b/up": "..", "a/b/root": "../..", "a/b/here": "." });
    const result = await follow(root);
    expect(paths(result)).toEqual(["a/b/file"]);
    expect(reasons(result)).toEqual({
      "a/b/here": "symlink_cycle",
      "a/b/root": "symlink_cycle",
      "a/b/up": "symlink_cycle",
    });
  });

  test("end when an include began below the folder they lead back to", async () => {
    const root = workspace({ "a/b/file": "1" }, { "a/b/up": ".." });
    const result = await follow(root, ["a/b"]);
    expect([paths(result), reasons(result)]).toEqual([["a/b/file"], { "a/b/up": "symlink_cycle" }]);
  });

  test("end when two folders lead to each other", async () => {
    const root = workspace({ "a/1": "1", "b/2": "2" }, { "a/to-b": "../b", "b/to-a": "../a" });
    const result = await follow(root);
    expect(paths(result)).toEqual(["a/1", "a/to-b/2", "b/2", "b/to-a/1"]);
    expect(reasons(result)).toEqual({ "a/to-b/to-a": "symlink_cycle", "b/to-a/to-b": "symlink_cycle" });
  });

  test("end when a long chain of folders each leads to the next", async () => {
    const files = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`f${i}/x`, "1"]));
    const links = Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`f${i}/n`, `../f${i + 1}`]));
    const result = await follow(workspace(files, links), ["f0"]);
    expect(paths(result)).toHaveLength(9);
    expect(reasons(result)).toEqual({ [`f0${"/n".repeat(9)}`]: "symlink_cycle" });
  });

  test("are refused when they leave the workspace, also for a neighbour whose name begins alike", async () => {
    const outer = tempFolder();
    plant(outer, { "root/a": "1", "root-evil/secret": "s", "other/secret": "s" });
    const links = { up: "../other/secret", near: "../root-evil", host: "/etc/hostname" };
    for (const [path, target] of Object.entries(links)) symlinkSync(target, join(outer, "root", path));
    const result = await follow(join(outer, "root"));
    expect(paths(result)).toEqual(["a"]);
    expect(reasons(result)).toEqual({ host: "symlink_outside", near: "symlink_outside", up: "symlink_outside" });
  });

  test("are refused when they leave by a link within a link", async () => {
    const outside = tempFolder();
    plant(outside, { secret: "s" });
    const root = workspace({ "real/a": "1" }, { link: "real", "real/out": outside });
    const result = await follow(root);
    expect(paths(result)).toEqual(["link/a", "real/a"]);
    expect(reasons(result)).toEqual({ "link/out": "symlink_outside", "real/out": "symlink_outside" });
  });

  test("are skipped when nothing is there", async () => {
    const result = await follow(workspace({ a: "1" }, { broken: "nowhere", deeper: "a/b" }));
    expect(reasons(result)).toEqual({ broken: "symlink_broken", deeper: "symlink_broken" });
  });

  test("are skipped when their target's path cannot be written, though another one looks the same", async () => {
    const root = workspace({ "f\uFFFD": "another", "d\uFFFD/f": "another" }, { valid: "f\uFFFD" });
    const script = 'b=$(printf "\\377"); mkdir "d$b"; printf meant >"f$b"; ln -s "f$b" file; ln -s "d$b" folder';
    execFileSync("sh", ["-c", script], { cwd: root });
    const result = await follow(root);
    expect(paths(result)).toEqual(["d\uFFFD/f", "f\uFFFD", "valid"]);
    // Deno itself cannot follow them.
    const reason = "Deno" in globalThis ? "unreadable" : "invalid_name";
    expect(reasons(result)).toMatchObject({ file: reason, folder: reason });
  });

  test("work when the workspace itself is reached through one", async () => {
    const root = workspace({ "real/a": "1" }, { link: "real" });
    const outer = workspace({}, { ws: root });
    expect(paths(await follow(join(outer, "ws")))).toEqual(["link/a", "real/a"]);
  });

  test("are skipped when the file system will not resolve them", async () => {
    const root = workspace({ a: "1" }, { link: "a" });
    const refusing = treeWith({
      realPath: (path) => {
        if (path.endsWith("link")) throw new SyncError("file_unreadable", "EACCES");
        return path;
      },
    });
    const result = await scan(root, { tree: refusing, followSymlinks: true });
    expect([paths(result), reasons(result)]).toEqual([["a"], { link: "unreadable" }]);
  });
});

describe("symlinks bring nothing in that is excluded hard", () => {
  const files = {
    "config/comfyvn.secrets.json": "vault",
    "config/comfyvn.json": "{}",
    "cache/cloud/index": "i",
    "cache/thumb": "t",
    "logs/server.log": "l",
    ".env": "KEY=1",
  };

  test("not the vault, an environment file or a folder of this product", async () => {
    const links = {
      "assets/v.json": "../config/comfyvn.secrets.json",
      "assets/e.txt": "../.env",
      "assets/l": "../logs",
      "assets/c": "../cache/cloud",
    };
    const result = await follow(workspace(files, links), ["assets"]);
    expect(paths(result)).toEqual([]);
    expect(new Set(Object.values(reasons(result)))).toEqual(new Set(["protected"]));
    expect(result.skipped).toHaveLength(4);
  });

  test("not through a link to the folder above", async () => {
    const result = await follow(workspace(files, { "assets/config": "../config", "assets/cache": "../cache" }), [
      "assets",
    ]);
    expect(paths(result)).toEqual(["assets/cache/thumb", "assets/config/comfyvn.json"]);
    expect(reasons(result)).toEqual({ "assets/cache/cloud": "protected" });
  });

  test("not when the vault itself is a link to another file of the workspace", async () => {
    const root = workspace(
      { "studio/v.json": "vault", "studio/a": "1" },
      { "config/comfyvn.secrets.json": "../studio/v.json" },
    );
    const result = await follow(root);
    expect(paths(result)).toEqual(["studio/a"]);
    expect(reasons(result)).toEqual({ "studio/v.json": "protected" });
  });
});
