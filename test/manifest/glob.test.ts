import { describe, expect, test } from "bun:test";
import { Glob } from "../../src/manifest/glob.ts";
import vectors from "../vectors/manifest/glob.json" with { type: "json" };

function matches(pattern: string, text: string): boolean {
  return new Glob(pattern).matches(text);
}

/** What `mayMatchAny` says of the folder of `path`, in which there are others too. */
function mayMatch(glob: Glob, path: string): boolean {
  const cut = path.lastIndexOf("/") + 1;
  return glob.mayMatchAny(path.slice(0, cut), ["other", path.slice(cut), "last"].map((name) => `${name}\0`).join(""));
}

describe("patterns mean what they mean to the Python studio", () => {
  test("a thousand generated patterns answer as fnmatchcase did", () => {
    const wrong: string[] = [];
    for (const { pattern, matches: same, differs } of vectors.cases) {
      for (const text of same)
        if (!matches(pattern, text)) wrong.push(JSON.stringify({ pattern, text, expected: true }));
      for (const text of differs)
        if (matches(pattern, text)) wrong.push(JSON.stringify({ pattern, text, expected: false }));
    }
    expect(wrong).toEqual([]);
  });

  test("of every match the quick question about a whole folder says that there may be one", () => {
    const missed = vectors.cases.flatMap(({ pattern, matches: same }) => {
      const glob = new Glob(pattern);
      return same.filter((text) => !text.includes("\0") && !mayMatch(glob, text)).map((text) => ({ pattern, text }));
    });
    expect(missed).toEqual([]);
  });

  test("the quick question clears folders that a pattern is not about", () => {
    const names = ["frame-1.png", "tmp.png", "x.tmp.png"];
    const about = (pattern: string, prefix: string) => new Glob(pattern).mayMatchAny(prefix, `${names.join("\0")}\0`);
    expect(["*.tmp", "cache/*", "assets/sce/*", "*/1/*.jpg"].filter((each) => about(each, "assets/scene-1/"))).toEqual(
      [],
    );
    expect(
      ["*.png", "ass*", "assets/scene-1/*", "[x]*", "*/?"].filter((each) => !about(each, "assets/scene-1/")),
    ).toEqual([]);
  });

  test("a star crosses folders and line breaks", () => {
    expect(matches("a*z", "a/b\n/z")).toBe(true);
  });

  test("a question mark takes a whole character beyond U+FFFF", () => {
    expect(matches("?", "😀")).toBe(true);
    expect(matches("??", "😀")).toBe(false);
    expect(matches("*??", "a😀")).toBe(true);
    expect(matches("*??", "😀")).toBe(false);
  });

  test("a range compares code points, not UTF-16 units", () => {
    expect(matches("[\uE000-😀]", "\uFFFF")).toBe(true);
    expect(matches("[😀-😂]", "😁")).toBe(true);
  });

  test("a reversed range vanishes, also when a ! comes to the front by it", () => {
    expect(["b", "c", "a"].map((text) => matches("[c-a]", text))).toEqual([false, false, false]);
    expect(["b", "x", "!", "c"].map((text) => matches("[b-a!x]", text))).toEqual([true, false, true, true]);
    expect(["-", "z", "!", "5"].map((text) => matches("[b-a!-z]", text))).toEqual([false, false, true, true]);
  });

  test("an opening bracket without an end is itself", () => {
    expect(matches("a[b", "a[b")).toBe(true);
    expect(matches("[]", "[]")).toBe(true);
  });

  test("a backslash is itself and escapes nothing", () => {
    expect(matches("\\*", "\\x")).toBe(true);
    expect(matches("\\*", "*")).toBe(false);
  });

  test("case counts", () => {
    expect(matches("*.PNG", "a.png")).toBe(false);
  });

  test("the ends of a pattern cannot share a character", () => {
    expect(matches("ab*ba", "aba")).toBe(false);
    expect(matches("ab*ba", "abba")).toBe(true);
  });
});

describe("no pattern takes more than text length times pattern length", () => {
  const text = `${"a".repeat(2_000)}c`;

  test.each([
    ["sets between stars", `${"*[a]".repeat(100)}*b`],
    ["single characters between stars", `${"*a?".repeat(100)}*[b]`],
    ["one long run of sets", `*${"[a]".repeat(300)}[b]*`],
    ["nothing but question marks", `*${"?".repeat(1_000)}[b]*`],
  ])("%s", (_, pattern) => {
    const glob = new Glob(pattern);
    expect(glob.matches(text)).toBe(false);
    expect(glob.steps).toBeLessThanOrEqual(text.length * pattern.length);
  });

  test("text between stars is searched once for each piece", () => {
    const glob = new Glob(`${"*a".repeat(500)}*b`);
    expect(glob.matches(text)).toBe(false);
    expect(glob.steps).toBeLessThanOrEqual(502);
  });
});
