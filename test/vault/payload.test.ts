import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { SyncError } from "../../src/core/errors.ts";
import { isJsonObject, type JsonObject } from "../../src/core/json.ts";
import { decodePayload, encodePayload, jsonEqual } from "../../src/vault/payload.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** JSON objects with any Unicode, lone surrogates and any finite number. */
const jsonObject = fc.dictionary(
  fc.string({ unit: "binary" }),
  fc.jsonValue({ stringUnit: "binary", maxDepth: 4 }),
) as fc.Arbitrary<JsonObject>;

function codeOf(fn: () => unknown): string {
  try {
    fn();
  } catch (error) {
    if (error instanceof SyncError) return error.code;
    throw error;
  }
  return "none";
}

describe("payload", () => {
  test("comes back as it was, any Unicode and any number", () => {
    fc.assert(
      fc.property(jsonObject, (value) => {
        const payload = decodePayload(encodePayload(value));
        expect(jsonEqual(payload.value, value)).toBe(true);
        // JSON has no -0.
        expect(JSON.stringify(payload.value)).toBe(JSON.stringify(value));
      }),
      { numRuns: 300 },
    );
  });

  test("is what JSON.stringify writes, when nothing was there before", () => {
    fc.assert(fc.property(jsonObject, (value) => expect(decode(encodePayload(value))).toBe(JSON.stringify(value))));
  });

  test("a key that is a name of Object's own comes back as a key", () => {
    const text = '{"__proto__":{"a":1},"constructor":2,"toString":null}';
    expect(decode(encodePayload(decodePayload(encode(text)).value))).toBe(text);
  });
});

describe("numbers that JavaScript would respell", () => {
  const text = '{"id":12345678901234567890,"f":1.0,"big":1e400,"list":[9007199254740993,{"e":1E5}],"n":7}';
  const previous = decodePayload(encode(text));

  test("keep their digits when something else changes", () => {
    const next = { ...previous.value, n: 8 };
    expect(decode(encodePayload(next, previous))).toBe(text.replace('"n":7', '"n":8'));
  });

  test("are replaced when they themselves change", () => {
    expect(decode(encodePayload({ id: 5, f: 1.5 }, previous))).toBe('{"id":5,"f":1.5}');
  });

  test("lend no digits to an equal number elsewhere, nor infinity to a new one", () => {
    expect(decode(encodePayload({ other: 1 }, previous))).toBe('{"other":1}');
    expect(codeOf(() => encodePayload({ other: Number.POSITIVE_INFINITY }, previous))).toBe("bad_request");
  });
});

describe("what is not JSON is refused rather than changed on the way:", () => {
  const cycle: JsonObject = {};
  cycle["self"] = cycle;
  const cases: readonly (readonly [string, unknown])[] = [
    ["undefined", undefined],
    ["NaN", Number.NaN],
    ["infinity", Number.POSITIVE_INFINITY],
    ["a Date", new Date(0)],
    ["bytes", new Uint8Array(2)],
    ["a Map", new Map([["a", 1]])],
    ["a function", () => 1],
    ["a bigint", 1n],
    ["a symbol", Symbol("s")],
    ["a hole in an array", Object.assign([], { length: 2 })],
    ["an object with its own toJSON", { toJSON: () => "x" }],
    ["a cycle", cycle],
  ];
  for (const [name, value] of cases) {
    test(name, () => {
      expect(codeOf(() => encodePayload({ value }))).toBe("bad_request");
      expect(codeOf(() => encodePayload({ list: [{ value }] }))).toBe("bad_request");
    });
  }
});

describe("jsonEqual", () => {
  /** The same value with every object's keys the other way round. */
  function reversed(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(reversed);
    if (!isJsonObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value)
        .toReversed()
        .map(([key, each]) => [key, reversed(each)]),
    );
  }

  test("does not mind the order of keys", () => {
    fc.assert(
      fc.property(jsonObject, (value) => jsonEqual(value, reversed(value)) && jsonEqual(reversed(value), value)),
    );
  });

  test("tells apart what differs", () => {
    const values: readonly unknown[] = [
      0,
      1,
      "",
      "0",
      "a",
      "A",
      "é",
      "e\u0301",
      true,
      false,
      null,
      [],
      {},
      [[]],
      [{}],
      [null],
      { a: null },
      { a: 1 },
      { b: 1 },
      { a: 1, b: 1 },
      [1, 2],
      [2, 1],
      { a: [1] },
      { 0: 1 },
      [1],
      { toString: null },
      { length: 0 },
    ];
    for (const [i, a] of values.entries()) {
      for (const [j, b] of values.entries()) expect(jsonEqual(a, b)).toBe(i === j);
    }
  });

  test("takes a missing key for different from any value, inherited names included", () => {
    expect(jsonEqual({ a: undefined }, { b: undefined })).toBe(false);
    expect(jsonEqual(Object.fromEntries([["toString", String]]), { x: 1 })).toBe(false);
  });
});
