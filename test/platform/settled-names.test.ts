import { expect, test } from "bun:test";
import { settledNames } from "../../src/platform/node/settled-names.ts";

const LONG_AGO = { mtimeMs: 1_000, ctimeMs: 1_000 };

/** A folder whose readings and times are those of the lists, the last of each for ever. */
function scripted(readings: readonly string[], times: readonly { mtimeMs: number; ctimeMs: number }[], there = "") {
  let reads = 0;
  let looks = 0;
  return {
    read: () => (readings[Math.min(reads++, readings.length - 1)] ?? "").split("").map((name) => ({ name })),
    times: () => times[Math.min(looks++, times.length - 1)],
    again: ({ name }: { name: string }) => (there.includes(name) ? { name } : undefined),
    reads: () => reads,
  };
}

function namesOf(folder: ReturnType<typeof scripted>, nowMs = 1_000_000): string {
  return settledNames(folder, () => nowMs)
    .map(({ name }) => name)
    .toSorted()
    .join("");
}

test("a folder at rest is read once", () => {
  const folder = scripted(["ab"], [LONG_AGO]);
  expect([namesOf(folder), folder.reads()]).toEqual(["ab", 1]);
});

test("a name that a reading leaves out while files are replaced is found by the next", () => {
  const folder = scripted(["ac", "abc"], [LONG_AGO, { mtimeMs: 2_000, ctimeMs: 2_000 }]);
  expect([namesOf(folder), folder.reads()]).toEqual(["abc", 2]);
});

test("a name that only the first reading has is kept while its file is there, and no longer", () => {
  const changed = { mtimeMs: 2_000, ctimeMs: 2_000 };
  expect(namesOf(scripted(["abc", "b"], [LONG_AGO, changed], "a"))).toBe("ab");
});

test("a change that put the folder's mtime back shows in its ctime", () => {
  const folder = scripted(["a", "ab"], [LONG_AGO, { mtimeMs: 1_000, ctimeMs: 2_000 }]);
  expect(namesOf(folder)).toBe("ab");
});

test("a folder changed within this tick of the clock may have changed once more", () => {
  const folder = scripted(["a", "ab"], [{ mtimeMs: 999_995, ctimeMs: 999_995 }]);
  expect(namesOf(folder)).toBe("ab");
});

test("a folder that never rests is not read for ever", () => {
  let at = 0;
  const folder = { ...scripted(["ab"], []), times: () => ({ mtimeMs: at++, ctimeMs: at }) };
  expect([namesOf(folder), folder.reads()]).toEqual(["ab", 6]);
});
