import { expect, test } from "bun:test";
import { rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nodePlatform } from "../../src/platform/node/node-platform.ts";
import { tempFolder } from "../support/temp-folder.ts";

const { files } = nodePlatform({
  runtime: "bun",
  serve: () => Promise.reject(new Error("serves nothing")),
  reclaimMemory: () => undefined,
  link: undefined,
  glances: undefined,
});

test("a folder that another removes all the time is made, and is never taken for a file in the way", async () => {
  const root = tempFolder();
  const folder = join(root, "a", "b");
  const making = async () => {
    for (let i = 0; i < 2_000; i++) await files.makeFolder(folder);
  };
  let removed = 0;
  const made = new AbortController();
  const removing = async () => {
    while (!made.signal.aborted) {
      if (await files.removeEmptyFolder(folder)) removed++;
      await files.removeEmptyFolder(join(root, "a"));
    }
  };
  await Promise.all([making().finally(() => made.abort()), removing()]);
  expect(removed).toBeGreaterThan(0);
});

test("a file in the way stays, and is said to be there", async () => {
  const root = tempFolder();
  writeFileSync(join(root, "a"), "mine");
  for (const path of [join(root, "a"), join(root, "a", "b")]) {
    await expect(files.makeFolder(path)).rejects.toMatchObject({ code: "write_failed" });
  }
  expect(() => rmdirSync(join(root, "a"))).toThrow();
});
