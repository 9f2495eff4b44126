import { expect, test } from "bun:test";
import { lstatSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nodeFiles } from "../../src/platform/node/node-files.ts";
import { tempFolder } from "../support/temp-folder.ts";

test("removing an empty folder takes no file, link or full folder that has its name by then", async () => {
  const root = tempFolder();
  const paths = Object.fromEntries(
    ["file", "full", "link", "missing", "empty"].map((name) => [name, join(root, name)]),
  );
  writeFileSync(join(root, "file"), "content");
  mkdirSync(join(root, "full"));
  writeFileSync(join(root, "full", "inside"), "content");
  mkdirSync(join(root, "empty"));
  symlinkSync(join(root, "empty"), join(root, "link"));
  for (const name of ["file", "full", "link", "missing"]) {
    expect(await nodeFiles.removeEmptyFolder(paths[name] ?? ""), name).toBe(false);
  }
  for (const name of ["file", "full", "link"])
    expect(lstatSync(join(root, name), { throwIfNoEntry: false }), name).toBeDefined();
  expect(await nodeFiles.removeEmptyFolder(join(root, "empty"))).toBe(true);
});
