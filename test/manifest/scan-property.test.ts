import { expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import fc from "fast-check";
import { compareCodePoints } from "../../src/core/code-point.ts";
import { createScope } from "../../src/manifest/scope.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { paths, plant, scan, sha256Of } from "./support.ts";

/** Every file below `root`, found the plainest way. */
function everyFile(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) => statSync(join(root, path)).isFile());
}

const name = fc.constantFrom("a", "b", "a-b", "a.b", "a b", "B", "é", "\uFFFD", "😀", ".x", "tmp", "logs", "cache");
const filePath = fc.array(name, { minLength: 1, maxLength: 4 }).map((segments) => `${segments.join("/")}/f`);

test("any tree is recorded as the plainest reference says, in any scope", async () => {
  const base = tempFolder();
  let run = 0;
  const property = fc.asyncProperty(
    fc.array(filePath, { maxLength: 15 }),
    fc.uniqueArray(fc.constantFrom("a", "a/b", "a-b", "tmp", "é", "."), { minLength: 1, maxLength: 3 }),
    fc.uniqueArray(fc.constantFrom("tmp", "*.x*", "a/*", "*/b", "[!a]*", "cache"), { maxLength: 2 }),
    async (files, include, exclude) => {
      const root = join(base, `${run++}`);
      plant(root, { ".keep/f": "", ...Object.fromEntries(files.map((path) => [path, path])) });
      const scope = createScope({ include, exclude });
      const result = await scan(root, { scope });
      const found = everyFile(root).map((path) => relative(root, join(root, path)));
      expect(paths(result)).toEqual(found.filter(scope.holds).toSorted(compareCodePoints));
      for (const { path, sha256 } of result.manifest.entries.values()) {
        expect(sha256).toBe(sha256Of(readFileSync(join(root, path), "utf8")));
      }
      expect(result.skipped).toEqual([]);
    },
  );
  await fc.assert(property, { numRuns: 60 });
});
