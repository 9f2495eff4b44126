import { describe, expect, test } from "bun:test";
import { appendFileSync, renameSync, rmSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FileStat, TreeFile, TreeReader } from "../../src/platform/contract.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { quickStat } from "./fake-tree.ts";
import { paths, plant, reasons, scan, sha256Of, tree, treeWith } from "./support.ts";

const SMALL = "s".repeat(1_000);
const LARGE = "l".repeat(3_000_000);

/** The real tree, where `interfere` runs around each read of the files named `victim`; `fired` counts. */
function interfering(
  when: "before" | "after",
  interfere: (path: string) => void,
): { readonly tree: TreeReader; fired: number } {
  const result = {
    fired: 0,
    tree: treeWith({
      open: (path) => {
        const file = tree.open(path);
        return path.endsWith("victim") ? around(file, () => (result.fired++, interfere(path))) : file;
      },
    }),
  };
  const around = (file: TreeFile, run: () => void): TreeFile => ({
    ...file,
    read: (into) => {
      if (when === "before") run();
      const count = file.read(into);
      if (when === "after") run();
      return count;
    },
  });
  return result;
}

async function expectChanged(
  content: string,
  when: "before" | "after",
  interfere: (path: string) => void,
): Promise<void> {
  const root = tempFolder();
  plant(root, { other: "1", victim: content });
  const fault = interfering(when, interfere);
  const result = await scan(root, { tree: fault.tree });
  expect(fault.fired).toBeGreaterThan(0);
  expect([paths(result), reasons(result)]).toEqual([["other"], { victim: "changed" }]);
}

describe.each([
  ["a small file", SMALL],
  ["a large file", LARGE],
])("%s that changes while it is hashed is skipped", (_, content) => {
  test("when it grows before it is read", () =>
    expectChanged(content, "before", (path) => appendFileSync(path, "more")));
  test("when it grows after it was read", () =>
    expectChanged(content, "after", (path) => appendFileSync(path, "more")));
  test("when it shrinks", () => {
    let size = content.length;
    return expectChanged(content, "before", (path) => truncateSync(path, (size -= 100)));
  });
  test("when it is emptied", () => {
    return expectChanged(content, "after", (path) => {
      truncateSync(path, 0);
      appendFileSync(path, content);
    });
  });

  test("when other bytes of the same length are written and the old mtime is put back", () => {
    let letter = 65;
    return expectChanged(content, "after", (path) => {
      writeFileSync(path, String.fromCharCode(letter++).repeat(content.length));
      utimesSync(path, 1_000, 1_000);
    });
  });
});

describe("one sign of a change is enough, where a file system does not keep the others", () => {
  const ending = (file: TreeFile) => ({ ...file, read: () => 0 });
  const second = (change: Partial<FileStat>) => (file: TreeFile) => {
    return { ...file, glance: () => quickStat({ ...file.stat(), ...change }) };
  };

  test.each([
    ["bytes", ending],
    ["size", second({ size: 7 })],
    ["mtime", second({ mtimeNs: 7n })],
    ["ctime", second({ ctimeNs: 7n })],
    ["inode", second({ inode: 7n })],
  ])("%s", async (_, alter) => {
    const root = tempFolder();
    plant(root, { small: SMALL, large: LARGE });
    const altered = treeWith({ open: (path) => alter(tree.open(path)) });
    expect(reasons(await scan(root, { tree: altered }))).toEqual({ large: "changed", small: "changed" });
  });
});

test("a small file saved once while it is hashed is hashed again", async () => {
  const root = tempFolder();
  plant(root, { victim: SMALL });
  const fault = interfering("after", (path) => {
    if (fault.fired === 1) writeFileSync(path, "saved");
  });
  const result = await scan(root, { tree: fault.tree });
  expect(fault.fired).toBe(2);
  expect(result.manifest.entries.get("victim")?.sha256).toBe(sha256Of("saved"));
});

test("a file replaced or removed while it is open is recorded as it was, whole", async () => {
  const root = tempFolder();
  plant(root, { "a-victim": SMALL, "b-victim": SMALL, "z/new": "new" });
  // A rename or removal of the open file changes its ctime: the second attempt meets what is there then.
  const fault = interfering("after", (path) => {
    if (fault.fired !== 1 && !path.endsWith("b-victim")) return;
    if (path.endsWith("a-victim")) renameSync(join(root, "z/new"), path);
    else rmSync(path, { force: true });
  });
  const result = await scan(root, { tree: fault.tree });
  expect(result.manifest.entries.get("a-victim")?.sha256).toBe(sha256Of("new"));
  expect(reasons(result)).toEqual({ "b-victim": "vanished", "z/new": "vanished" });
});

test("short reads, as network mounts give, do not cut a file", async () => {
  const root = tempFolder();
  plant(root, { small: "0123456789", large: LARGE });
  const short = treeWith({
    open: (path) => {
      const file = tree.open(path);
      return {
        ...file,
        read: (into) => file.read(into.subarray(0, Math.min(into.byteLength, path.endsWith("small") ? 3 : 70_001))),
      };
    },
  });
  const { manifest } = await scan(root, { tree: short });
  expect(manifest.entries.get("small")?.sha256).toBe(sha256Of("0123456789"));
  expect(manifest.entries.get("large")?.sha256).toBe(sha256Of(LARGE));
});
