import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseStrictJson } from "../../src/vault/strict-json.ts";

describe("parseStrictJson", () => {
  test("takes what JSON.parse takes, and as the same value", () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(undefined, 1, "\t"), (text, indent) => {
        const value: unknown = JSON.parse(text);
        expect(parseStrictJson(JSON.stringify(value, undefined, indent), 1000)).toEqual({ value });
      }),
    );
  });

  test("takes no text that JSON.parse does not take", () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), fc.string({ maxLength: 2 }), (text, at, inserted) => {
        const broken = text.slice(0, at % text.length) + inserted + text.slice((at % text.length) + 1);
        let valid = true;
        try {
          JSON.parse(broken);
        } catch {
          valid = false;
        }
        if (!valid) expect(parseStrictJson(broken, 1000)).toEqual({ fault: "is not valid JSON" });
      }),
    );
  });

  test("finds a repeated key at any depth, however it is spelled", () => {
    const texts = [
      '{"a":1,"a":1}',
      '{"x":[{"a":1},{"b":{"c":0,"c":0}}]}',
      '{"a":1,"\\u0061":2}',
      '{"a" \n\t\r : 1, "b": {}, "a" : 2}',
      '{"\\\\":1,"\\\\":2}',
      '{"__proto__":1,"__proto__":2}',
    ];
    for (const text of texts) expect(parseStrictJson(text, 9)).toEqual({ fault: "names a key twice in one object" });
  });

  test("takes no equal value, key of another object, or quote inside a string for a repeated key", () => {
    const texts = [
      '{"a":"a","b":"a"}',
      '[{"a":1},{"a":1}]',
      '{"a":{"a":{"a":1}}}',
      '{"a":"\\"a\\":1","b":"{\\"b\\":"}',
      '["a","a"]',
      '{"a\\\\":1,"a":2}',
    ];
    for (const text of texts) expect(parseStrictJson(text, 9)).toEqual({ value: JSON.parse(text) });
  });

  test("counts levels, not brackets, and no bracket in a string", () => {
    expect(parseStrictJson("[[[]]]", 3)).toEqual({ value: [[[]]] });
    expect(parseStrictJson("[[[[]]]]", 3)).toEqual({ fault: "is nested more than 3 levels deep" });
    expect(parseStrictJson("[[],[],[],[]]", 2)).toEqual({ value: [[], [], [], []] });
    expect(parseStrictJson('["[[[[", "\\"[[["]', 1)).toEqual({ value: ["[[[[", '"[[['] });
  });

  test("reads a million backslashes in one pass", () => {
    const text = JSON.stringify({ a: "\\".repeat(300_000), b: '\\"'.repeat(100_000) });
    expect(parseStrictJson(text, 2)).toEqual({ value: JSON.parse(text) });
  });
});
