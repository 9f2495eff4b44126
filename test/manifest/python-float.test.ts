import { expect, test } from "bun:test";
import { pythonFloat, pythonMtime } from "../../src/manifest/python-float.ts";
import vectors from "../vectors/manifest/python-float.json" with { type: "json" };

test("six hundred floats of every size are written as Python writes them", () => {
  expect(vectors.floats.map((text) => pythonFloat(Number(text)))).toEqual(vectors.floats);
});

test("nanoseconds become the same double as in Python, before 1970 too", () => {
  expect(vectors.mtimes.map(([ns]) => pythonFloat(pythonMtime(BigInt(ns!))))).toEqual(
    vectors.mtimes.map(([, text]) => text!),
  );
});
