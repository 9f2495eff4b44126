import { expect, test } from "bun:test";
import fc from "fast-check";
import { compareCodePoints, sortedByCodePoint } from "../../src/core/code-point.ts";

test("strings beyond U+D800 sort by code point and not by UTF-16 unit", () => {
  expect(sortedByCodePoint(["😀", "\uFFFD", "a", "\uE000"])).toEqual(["a", "\uE000", "\uFFFD", "😀"]);
});

test("any strings sort as the comparison says, whichever way they are sorted", () => {
  const text = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme-ascii" }));
  fc.assert(
    fc.property(fc.array(text), (strings) => {
      expect(sortedByCodePoint(strings)).toEqual(strings.toSorted(compareCodePoints));
    }),
  );
});
