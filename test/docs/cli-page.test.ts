import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { helpTexts } from "../../scripts/cli-page/help-texts.ts";
import { marksOf } from "../../scripts/cli-page/page.ts";
import { widthOf } from "../../src/cli/format.ts";

const page = readFileSync(join(import.meta.dir, "../../docs/CLI.md"), "utf8");
const marks = marksOf(page);
const shown = new Map(marks.filter(({ kind }) => kind === "help").map(({ name, text }) => [name, text]));
const COLUMNS = 80;

describe("docs/CLI.md shows the help that the program gives; `bun run docs:cli` writes it anew", () => {
  const texts = helpTexts();
  for (const [name, text] of texts) {
    test(`comfyvn-sync ${name}`, () => expect(shown.get(name === "" ? "(none)" : name)).toBe(text));
  }

  test("and of no command that is gone", () => {
    expect([...shown.keys()].toSorted()).toEqual(
      [...texts.keys()].map((name) => (name === "" ? "(none)" : name)).toSorted(),
    );
  });
});

describe("every help text", () => {
  for (const [name, text] of helpTexts()) {
    test(`of comfyvn-sync ${name} fits a terminal and gives an example`, () => {
      expect(text.split("\n").filter((line) => widthOf(line) > COLUMNS)).toEqual([]);
      if (name !== "") expect(text).toMatch(/\nExamples:\n {2}# [^\n]+\n {2}[^\n]*comfyvn-sync /);
    });
  }
});

test("the captures are those of a terminal of 80 columns", () => {
  const captures = marks.filter(({ kind }) => kind === "capture");
  expect(captures.map(({ name }) => name)).toEqual(["plan", "progress"]);
  for (const { text } of captures) {
    // The workspace's path is shown as another one, so the title may be wider than the terminal was.
    const table = text.split("\n").filter((line) => !line.startsWith("dry run of"));
    expect(Math.max(...table.map(widthOf))).toBeLessThanOrEqual(COLUMNS);
  }
  expect(captures[0]?.text).toMatch(/\nuploads .+ files .+ size\n/);
  expect(captures[1]?.text).toMatch(/\nupload {2}█+░+ .+ %.+ of .+\/s.+ left/);
});
