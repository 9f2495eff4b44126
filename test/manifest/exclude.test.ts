import { describe, expect, test } from "bun:test";
import { compileExcludes, DEFAULT_EXCLUDE, PATTERN_LENGTH_MAX, PATTERNS_MAX } from "../../src/manifest/exclude.ts";
import vectors from "../vectors/manifest/exclude.json" with { type: "json" };
import { expectCode } from "./support.ts";

describe("a pattern on one path", () => {
  test("answers as the Python studio did for every vector", () => {
    const wrong = vectors.cases.filter(
      ({ pattern, path, excluded }) => compileExcludes([pattern]).matches(path) !== excluded,
    );
    expect(wrong).toEqual([]);
  });

  test("the quick question about a whole folder never clears what a pattern excludes", () => {
    const missed = vectors.cases.filter(({ pattern, path, excluded }) => {
      const cut = path.lastIndexOf("/") + 1;
      return excluded && !compileExcludes([pattern]).mayMatchAny(path.slice(0, cut), `a\0${path.slice(cut)}\0z\0`);
    });
    expect(missed).toEqual([]);
    expect(compileExcludes(DEFAULT_EXCLUDE).mayMatchAny("assets/scene/", "frame.png\0frame.tmp.png\0")).toBe(false);
  });

  test("the defaults exclude caches at the root and leftovers everywhere", () => {
    const { matches } = compileExcludes(DEFAULT_EXCLUDE);
    expect(["cache/x", "tmp", ".git/config", "assets/a.tmp", "a/b.pyc"].filter((path) => !matches(path))).toEqual([]);
    expect(["assets/cache/x", "assets/tmp", "docs/.git", "tmpl/a"].filter(matches)).toEqual([]);
  });

  test("an empty pattern and one of slashes exclude nothing", () => {
    const { matches, excludes } = compileExcludes(["", "/", "///"]);
    expect(["a", "a/b"].filter((path) => matches(path) || excludes(path))).toEqual([]);
  });
});

describe("a pattern on a folder", () => {
  test("counts for everything below, because a scan does not go in", () => {
    const { matches, excludes } = compileExcludes(["*/private"]);
    expect(matches("assets/private/a.png")).toBe(false);
    expect(excludes("assets/private/a.png")).toBe(true);
    expect(excludes("assets/private/deep/er/a.png")).toBe(true);
    expect(excludes("assets/privately/a.png")).toBe(false);
  });

  test("is not carried over from the folder asked before", () => {
    const { excludes } = compileExcludes(["*/x"]);
    const asked = ["a/x/1", "a/y/1", "a/x/2", "x/1", "a/x"];
    expect(asked.map(excludes)).toEqual([true, false, true, false, true]);
  });
});

describe("a request's patterns are limited", () => {
  test("in number", async () => {
    const many = Array.from({ length: PATTERNS_MAX + 1 }, (_, i) => `${i}`);
    expect(compileExcludes(many.slice(1)).matches("7")).toBe(true);
    await expectCode(() => compileExcludes(many), "bad_pattern");
  });

  test("in length", async () => {
    expect(compileExcludes(["a".repeat(PATTERN_LENGTH_MAX)]).matches("a")).toBe(false);
    await expectCode(() => compileExcludes(["a".repeat(PATTERN_LENGTH_MAX + 1)]), "bad_pattern");
  });

  test("in length together", async () => {
    await expectCode(() => compileExcludes(Array.from({ length: 17 }, () => "a".repeat(1_000))), "bad_pattern");
  });

  test("to valid Unicode", async () => {
    await expectCode(() => compileExcludes(["\uD83D"]), "bad_pattern");
  });
});
