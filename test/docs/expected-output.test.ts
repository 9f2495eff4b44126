import { describe, expect, test } from "bun:test";
import { outputFault } from "./expected-output.ts";

const json = (pattern: unknown, actual: unknown) =>
  outputFault({ language: "json", text: JSON.stringify(pattern) }, JSON.stringify(actual));
const text = (pattern: string, actual: string) => outputFault({ language: "text", text: pattern }, actual);

describe("json", () => {
  test("equal passes, whatever the order of members", () => {
    expect(json({ a: 1, b: [true, null] }, { b: [true, null], a: 1 })).toBeUndefined();
  });

  test("another value, a missing member and one that is not shown are faults", () => {
    expect(json({ a: 1 }, { a: 2 })).toBe("$.a is 2, not 1");
    expect(json({ a: 1, b: 2 }, { a: 1 })).toBe("$.b is missing");
    expect(json({ a: 1 }, { a: 1, b: 2 })).toBe("$.b is not shown");
    expect(json([1], [1, 2])).toBe("$ has 2 elements, not 1");
    expect(json({ a: {} }, { a: [] })).toBe("$.a is no object");
    expect(json({ a: null }, { a: {} })).toBe("$.a is {}, not null");
  });

  test("… stands for a value, part of a string, further members and further elements", () => {
    expect(json({ a: "…" }, { a: { b: 1 } })).toBeUndefined();
    expect(json({ a: "2…Z" }, { a: "2025Z" })).toBeUndefined();
    expect(json({ a: 1, "…": "…" }, { a: 1, b: 2 })).toBeUndefined();
    expect(json([1, "…"], [1, 2, 3])).toBeUndefined();
  });

  test("… leaves nothing out that is shown", () => {
    expect(json({ a: "…" }, {})).toBe("$.a is missing");
    expect(json({ a: "2…Z" }, { a: "2025" })).toStartWith("$.a is");
    expect(json({ a: 1, "…": "…" }, { a: 2 })).toBe("$.a is 2, not 1");
    expect(json([1, 2, "…"], [1])).toBe("$ has 1 elements, not 2");
  });

  test("output that is no JSON is a fault", () => {
    expect(outputFault({ language: "json", text: "{}" }, "oops")).toBe("stdout is not JSON");
  });
});

describe("text", () => {
  test("equal passes, another or a further line is a fault", () => {
    expect(text("a\nb", "a\nb\n")).toBeUndefined();
    expect(text("a\nb", "a\nc\n")).toBe("line 2 is not as shown");
    expect(text("a", "a\nb\n")).toBe("line 2 is not shown");
    expect(text("a\nb", "a\n")).toBe("line 2 is missing");
  });

  test("… stands for part of a line and for lines", () => {
    expect(text("listening on http://…:…", "listening on http://127.0.0.1:8001")).toBeUndefined();
    expect(text("a\n…\nd", "a\nb\nc\nd")).toBeUndefined();
    expect(text("a\n…\nd", "a\nd")).toBeUndefined();
    expect(text("a…a", "a")).toBe("line 1 is not as shown");
    expect(text("a\n…\nd", "a\nb")).toStartWith("no line after");
  });
});
