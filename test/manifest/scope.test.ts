import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { isWithin } from "../../src/core/paths.ts";
import { compileExcludes } from "../../src/manifest/exclude.ts";
import { createScope, DEFAULT_INCLUDE, INCLUDES_MAX } from "../../src/manifest/scope.ts";
import { expectCode } from "./support.ts";

describe("include paths", () => {
  test("are normalised, sorted, and folded into the ones that hold them", () => {
    const { include } = createScope({ include: ["./docs//", "assets/ui/a", "assets-old", "assets/", "docs"] });
    expect(include).toEqual(["assets", "assets-old", "docs"]);
  });

  test("that name the root hold everything", () => {
    expect(createScope({ include: ["assets", "."] }).include).toEqual([""]);
    expect(createScope({ include: ["."] }).holds("studio/a.txt")).toBe(true);
  });

  test("do not reach a sibling whose name begins alike", () => {
    const { holds } = createScope({ include: ["assets"] });
    expect(holds("assets/a.png")).toBe(true);
    expect(holds("assets")).toBe(true);
    expect(holds("assets-old/a.png")).toBe(false);
    expect(holds("a")).toBe(false);
  });

  test("default to what the Python studio mirrors", () => {
    expect(createScope().include).toEqual(DEFAULT_INCLUDE);
  });

  test("that are none hold nothing", () => {
    expect(createScope({ include: [] }).holds("assets/a.png")).toBe(false);
  });

  test.each(["../x", "/etc", "a\0b", "C:\\x", "c:/x", "a/../../b"])("refuse %p", async (path) => {
    await expectCode(() => createScope({ include: [path] }), "bad_path");
  });

  test("are limited in number", async () => {
    await expectCode(() => createScope({ include: Array.from({ length: INCLUDES_MAX + 1 }, () => "a") }), "bad_path");
  });
});

const name = fc.constantFrom("a", "b", "ab", "a-b", "x");
const somePath = fc.array(name, { minLength: 1, maxLength: 4 }).map((segments) => segments.join("/"));
const somePattern = fc.oneof(somePath, fc.constantFrom("*b", "a/*", "?", "*/x", "[ab]", "a/", "*-*"));

test("in scope is: inside an include, and no exclude matches the path or a folder above it", () => {
  const property = fc.property(
    fc.array(somePath, { maxLength: 3 }),
    fc.array(somePattern, { maxLength: 3 }),
    fc.array(somePath, { minLength: 1, maxLength: 20 }),
    (include, exclude, asked) => {
      const scope = createScope({ include, exclude });
      const { matches } = compileExcludes(exclude);
      for (const path of asked) {
        const upwards = path.split("/").map((_, i, segments) => segments.slice(0, i + 1).join("/"));
        const expected = include.some((folder) => isWithin(path, folder)) && !upwards.some(matches);
        expect({ path, holds: scope.holds(path) }).toEqual({ path, holds: expected });
      }
    },
  );
  fc.assert(property, { numRuns: 300 });
});
