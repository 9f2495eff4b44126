/** Which of the places that a request names hold nothing. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { emptyPlaces } from "../../src/core/empty-places.ts";
import { isWithin } from "../../src/core/paths.ts";

test("a place is empty when no path is at or below it, whatever the order of the paths", () => {
  const segment = fc.constantFrom("a", "b", "ab", "a-b", "é");
  const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((names) => names.join("/"));
  fc.assert(
    fc.property(fc.uniqueArray(fc.oneof(path, fc.constant(""))), fc.array(path), (places, paths) => {
      const plain = places.filter((place) => !paths.some((each) => isWithin(each, place)));
      expect([...emptyPlaces(places, paths)]).toEqual(plain);
    }),
  );
});

test("paths are gone through no further than the last place is found", () => {
  let given = 0;
  const paths = function* () {
    for (const path of ["a/1", "a/2", "b/1", "b/2", "b/3"]) {
      given++;
      yield path;
    }
  };
  expect([...emptyPlaces(["a", "b"], paths())]).toEqual([]);
  expect(given).toBe(4);
});
