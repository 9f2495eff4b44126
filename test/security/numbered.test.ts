/** Where the 25 negative tests of the threat model stand: each bears its number in its name. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const REPOSITORY = resolve(import.meta.dir, "../..");
const NUMBERS = Array.from({ length: 25 }, (_, i) => i + 1);

/** The files whose tests bear each number. */
function testsByNumber(): ReadonlyMap<number, readonly string[]> {
  const found = new Map<number, string[]>();
  for (const path of readdirSync(join(REPOSITORY, "test"), { recursive: true, encoding: "utf8" })) {
    if (!path.endsWith(".test.ts")) continue;
    const text = readFileSync(join(REPOSITORY, "test", path), "utf8");
    // The name of a test, of a group, or of a case in a table.
    for (const [, number] of text.matchAll(/["'`]security (\d+): /g)) {
      const files = found.get(Number(number)) ?? [];
      if (!files.includes(`test/${path}`)) found.set(Number(number), [...files, `test/${path}`]);
    }
  }
  return found;
}

describe("the numbered tests", () => {
  const found = testsByNumber();
  test.each(NUMBERS)("number %d is a test", (number) => {
    expect(found.get(number) ?? []).not.toEqual([]);
  });

  test("are where docs/SECURITY.md says", () => {
    const table = readFileSync(join(REPOSITORY, "docs/SECURITY.md"), "utf8");
    for (const number of NUMBERS) {
      const row = new RegExp(`^\\| ${number} +\\|.*$`, "m").exec(table)?.[0] ?? "";
      expect({ number, files: row.match(/test\/[\w/.-]+\.test\.ts/g)?.toSorted() ?? [] }).toEqual({
        number,
        files: (found.get(number) ?? []).toSorted(),
      });
    }
  });
});
