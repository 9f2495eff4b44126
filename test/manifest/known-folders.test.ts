/** Folders of eight files and more, which the index knows: such are told to be as they were by names and stats alone. */
import { describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createScope } from "../../src/manifest/scope.ts";
import { tempFolder } from "../support/temp-folder.ts";
import type { ScanOptions } from "../../src/manifest/scan.ts";
import { indexedScan, settledClock } from "./indexed.ts";
import { paths, plant, reasons, scan, tree } from "./support.ts";

const OLD = new Date("2024-01-01");

/** A folder of twenty files, scanned once with its index. */
async function known() {
  const root = tempFolder();
  const names = Array.from({ length: 20 }, (_, k) => `f/${String(k).padStart(2, "0")}`);
  plant(root, Object.fromEntries(names.map((name) => [name, name])));
  for (const name of names) utimesSync(join(root, name), OLD, OLD);
  const at = (name: string) => join(root, "f", name);
  await indexedScan(root, { clock: settledClock(1_000_000) });
  return { root, at, again: (options?: Partial<ScanOptions>) => indexedScan(root, { ...options, clock }) };
}

/** Later than the first scan. */
const clock = settledClock(2_000_000);

test("a known folder that did not change is not opened, and listed by kind only where nothing is quicker", async () => {
  const { root, again } = await known();
  const asked: string[] = [];
  const list = (folder: string) => (asked.push(folder), tree.list(folder));
  const open = (path: string) => (asked.push(path), tree.open(path));
  const result = await again({ tree: { ...tree, list, open } });
  expect(paths(result)).toHaveLength(20);
  expect(asked).toContain(root);
  expect(asked.filter((path) => path.startsWith(`${root}/f`))).toEqual(tree.glances ? [] : [`${root}/f`]);
});

describe("what changed in a known folder is seen:", () => {
  test.each<[string, (at: (name: string) => string) => void]>([
    ["a new file", (at) => writeFileSync(at("99"), "new")],
    ["a new file in place of a removed one", (at) => (rmSync(at("03")), writeFileSync(at("99"), "new"))],
    ["a removed file", (at) => rmSync(at("00"))],
    ["a renamed file", (at) => renameSync(at("07"), at("70"))],
    [
      "two files that changed places",
      (at) => {
        renameSync(at("01"), at("x"));
        renameSync(at("02"), at("01"));
        renameSync(at("x"), at("02"));
      },
    ],
    ["a file of the same size and mtime", (at) => (writeFileSync(at("05"), "f/XX"), utimesSync(at("05"), OLD, OLD))],
    ["a file that became a folder", (at) => (rmSync(at("04")), mkdirSync(at("04")), writeFileSync(at("04/in"), "in"))],
    ["a file that became a symlink", (at) => (rmSync(at("04")), symlinkSync("05", at("04")))],
    ["a file that became a pipe", (at) => (rmSync(at("04")), execFileSync("mkfifo", [at("04")]))],
    ["a file that became a hard link to another", (at) => (rmSync(at("04")), linkSync(at("05"), at("04")))],
    ["a new folder beside the files", (at) => (mkdirSync(at("in")), writeFileSync(at("in/1"), "1"))],
  ])("%s", async (_, change) => {
    const { root, at, again } = await known();
    change(at);
    const [withIndex, without] = [await again(), await scan(root)];
    const entriesOf = ({ manifest }: typeof without) =>
      [...manifest.entries.values()].filter(({ path }) => path.startsWith("f/"));
    expect(entriesOf(withIndex)).toEqual(entriesOf(without));
    expect(reasons(withIndex)).toEqual(reasons(without));
  });
});

test("a known file that is excluded since is left out", async () => {
  const { again } = await known();
  const scope = createScope({ include: ["f"], exclude: ["*/05"] });
  const left = paths(await again({ scope }));
  expect([left.length, left.includes("f/05")]).toEqual([19, false]);
});
