import { describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { lstatSync, mkdirSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bunOwn } from "../../src/platform/bun/bun-own.ts";
import { tempFolder } from "../support/temp-folder.ts";

/** What they tell of `names` in `folder`. */
function glancesAt(folder: string, names: readonly string[]) {
  const glances = bunOwn.glances?.(folder, new TextEncoder().encode(names.join("\0")));
  try {
    return names.map(() => {
      const stat = glances?.next();
      return (
        stat && { file: stat.isFile(), size: stat.size, mtime: stat.mtimeMs, ctime: stat.ctimeMs, inode: stat.ino }
      );
    });
  } finally {
    glances?.close();
  }
}

function lstatOf(path: string) {
  const stat = lstatSync(path);
  return { file: stat.isFile(), size: stat.size, mtime: stat.mtimeMs, ctime: stat.ctimeMs, inode: stat.ino };
}

test("Linux has many glances at once", () => {
  expect(bunOwn.glances !== undefined).toBe(process.platform === "linux");
});

if (bunOwn.glances === undefined) console.log("not tested: many glances at once, which only Linux has");
else describeGlances();

function describeGlances(): void {
  describe("many glances at once tell what lstat tells", () => {
    test("of files of every size and time, and of what is no file", () => {
      const folder = tempFolder();
      const at = (name: string) => join(folder, name);
      writeFileSync(at("empty"), "");
      writeFileSync(at("one"), "1");
      writeFileSync(at("beyond 32 bits"), "");
      truncateSync(at("beyond 32 bits"), 5 * 2 ** 30 + 7);
      writeFileSync(at("before 1970"), "");
      utimesSync(at("before 1970"), -12_345.678_9, -12_345.678_9);
      writeFileSync(at("after 2038"), "");
      utimesSync(at("after 2038"), 5_000_000_000.123, 5_000_000_000.123);
      writeFileSync(at("\u{1f600} é e\u0301 \ufffd"), "names are UTF-8");
      mkdirSync(at("folder"));
      symlinkSync("one", at("link"));
      symlinkSync("nowhere", at("dangling"));
      execFileSync("mkfifo", [at("fifo")]);
      const names = ["empty", "one", "beyond 32 bits", "before 1970", "after 2038", "\u{1f600} é e\u0301 \ufffd"];
      const all = [...names, "folder", "link", "dangling", "fifo"];
      expect(glancesAt(folder, all)).toEqual(all.map((name) => lstatOf(at(name))));
    });

    test("and nothing of what is not there, nor of a name that is too long", () => {
      const folder = tempFolder();
      writeFileSync(join(folder, "there"), "");
      const told = glancesAt(folder, ["gone", "there", "x".repeat(300), "there"]);
      expect(told.map((stat) => stat !== undefined)).toEqual([false, true, false, true]);
    });

    test("all names in the folder are told, of whatever kind, and none of a folder that is gone", () => {
      const folder = tempFolder();
      const inner = join(folder, "inner");
      mkdirSync(inner);
      for (const name of ["b", "a", "\u{1f600}"]) writeFileSync(join(inner, name), "");
      symlinkSync("a", join(inner, "link"));
      const glances = bunOwn.glances?.(inner, new TextEncoder().encode("a"));
      expect(glances?.names().toSorted()).toEqual(["a", "b", "link", "\u{1f600}"]);
      rmSync(inner, { recursive: true });
      expect(glances?.names()).toEqual([]);
      glances?.close();
    });

    test("they end with the last name", () => {
      const folder = tempFolder();
      writeFileSync(join(folder, "there"), "");
      const glances = bunOwn.glances?.(folder, new TextEncoder().encode("there"));
      expect([glances?.next() !== undefined, glances?.next(), glances?.next()]).toEqual([true, undefined, undefined]);
      glances?.close();
    });

    test("there are none of a folder that cannot be opened, or is a file", () => {
      const folder = tempFolder();
      writeFileSync(join(folder, "file"), "");
      const names = new TextEncoder().encode("there");
      expect([bunOwn.glances?.(join(folder, "gone"), names), bunOwn.glances?.(join(folder, "file"), names)]).toEqual([
        undefined,
        undefined,
      ]);
    });

    test("a folder is not left open", () => {
      const folder = tempFolder();
      writeFileSync(join(folder, "there"), "");
      const open = () => execFileSync("ls", ["-l", `/proc/${process.pid}/fd`], { encoding: "utf8" });
      glancesAt(folder, ["there"]);
      expect(open()).not.toContain(folder);
    });
  });
}
