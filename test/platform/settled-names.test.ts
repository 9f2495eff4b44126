import { expect, test } from "bun:test";
import { settledNames } from "../../src/platform/node/settled-names.ts";

const NOW_MS = 1_000_000;
const LONG_AGO = { mtimeMs: 1_000, ctimeMs: 1_000 };
/** Not so long ago that it could be over. */
const JUST_NOW = { mtimeMs: NOW_MS - 500, ctimeMs: NOW_MS - 500 };

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

function namesOf(folder: ReturnType<typeof scripted>): string {
  return settledNames(folder, () => NOW_MS)
    .map(({ name }) => name)
    .toSorted()
    .join("");
}

test("a folder at rest is read once", () => {
  const folder = scripted(["ab"], [LONG_AGO]);
  expect([namesOf(folder), folder.reads()]).toEqual(["ab", 1]);
});

test("a name that a reading leaves out while files are replaced is found by the next", () => {
  const folder = scripted(["ac", "abc"], [JUST_NOW]);
  expect([namesOf(folder), folder.reads()]).toEqual(["abc", 2]);
});

test("a folder is read until it no longer changes", () => {
  const folder = scripted(["a", "a", "ab"], [JUST_NOW, { ...JUST_NOW, ctimeMs: JUST_NOW.ctimeMs + 1 }]);
  expect([namesOf(folder), folder.reads()]).toEqual(["ab", 3]);
});

test("a name that only the first reading has is kept while its file is there, and no longer", () => {
  expect(namesOf(scripted(["abc", "b"], [JUST_NOW], "a"))).toBe("ab");
});

test("a change that put the folder's mtime back shows in its ctime", () => {
  const folder = scripted(["a", "ab"], [{ ...LONG_AGO, ctimeMs: JUST_NOW.ctimeMs }]);
  expect(namesOf(folder)).toBe("ab");
});

test("a folder changed within this tick of the clock may have changed once more", () => {
  const folder = scripted(["a", "a", "ab"], [{ mtimeMs: NOW_MS - 5, ctimeMs: NOW_MS - 5 }]);
  expect(namesOf(folder)).toBe("ab");
});

test("a folder whose times lie in the future is read twice", () => {
  const folder = scripted(["a", "ab"], [{ mtimeMs: NOW_MS + 60_000, ctimeMs: LONG_AGO.ctimeMs }]);
  expect([namesOf(folder), folder.reads()]).toEqual(["ab", 2]);
});

test("a folder that never rests is not read for ever", () => {
  let at = NOW_MS;
  const folder = { ...scripted(["ab"], []), times: () => ({ mtimeMs: at++, ctimeMs: at }) };
  expect([namesOf(folder), folder.reads()]).toEqual(["ab", 6]);
});
