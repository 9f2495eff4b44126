import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { SyncError } from "../../src/core/errors.ts";
import { formatVaultPath, parseVaultPath, valueAt, withoutValueAt, withValueAt } from "../../src/vault/vault-path.ts";

function refused(fn: () => unknown): SyncError {
  try {
    fn();
  } catch (error) {
    if (error instanceof SyncError && error.code === "vault_path") return error;
    throw error;
  }
  throw new Error("not refused");
}

const RESERVED = ["__proto__", "constructor", "prototype"];
const key = fc.string({ minLength: 1 }).filter((name) => !RESERVED.includes(name));
const keys = fc.array(fc.oneof(key, fc.constantFrom("a", ".", "\\", "\\.", "a.b", "\\\\", "0")), {
  minLength: 1,
  maxLength: 4,
});

describe("a dotted path", () => {
  test("splits at dots, not at escaped ones", () => {
    expect(parseVaultPath("cloud_sync.s3.bucket")).toEqual(["cloud_sync", "s3", "bucket"]);
    expect(parseVaultPath("hooks.example\\.com.secret")).toEqual(["hooks", "example.com", "secret"]);
    expect(parseVaultPath("a\\\\.b")).toEqual(["a\\", "b"]);
    expect(parseVaultPath("C:\\dir")).toEqual(["C:\\dir"]);
  });

  test("formats and parses back, whatever the keys hold", () => {
    fc.assert(fc.property(keys, (names) => expect(parseVaultPath(formatVaultPath(names))).toEqual(names)));
  });

  test("with an empty name is refused", () => {
    for (const path of ["", ".", "a.", ".a", "a..b"]) refused(() => parseVaultPath(path));
  });

  test("with a name that reaches into prototypes is refused, escaped or not, and not repeated", () => {
    for (const name of RESERVED) {
      for (const path of [name, `a.${name}`, `${name}.polluted`, `a.${name}.b`]) {
        expect(refused(() => parseVaultPath(path)).message).not.toContain(name);
      }
    }
  });
});

describe("a value by path", () => {
  const root = { a: { b: [1, { c: null }] }, text: "abc", "x.y": 5 };

  test("is found in objects and arrays", () => {
    expect(valueAt(root, ["a", "b", "1", "c"])).toBeNull();
    expect(valueAt(root, ["x.y"])).toBe(5);
    expect(valueAt(root, ["a", "b"])).toBe(root.a.b);
  });

  test("is undefined where nothing was put: no inherited name, length or character", () => {
    for (const names of [
      ["toString"],
      ["a", "valueOf"],
      ["a", "b", "length"],
      ["a", "b", "01"],
      ["a", "b", "-1"],
      ["text", "0"],
      ["text", "length"],
      ["a", "b", "2"],
    ]) {
      expect(valueAt(root, names)).toBeUndefined();
    }
  });

  test("is put with the objects on its way, and the rest and the given object stay as they were", () => {
    const before = structuredClone(root);
    expect(withValueAt(root, ["new", "deep", "er"], 1)).toEqual({ ...root, new: { deep: { er: 1 } } });
    expect(withValueAt(root, ["a", "b", "1", "c"], 2)).toEqual({ ...root, a: { b: [1, { c: 2 }] } });
    expect(withValueAt(root, ["a", "b", "2"], 3)).toEqual({ ...root, a: { b: [1, { c: null }, 3] } });
    expect(root).toEqual(before);
  });

  test("is not put through a plain value, nor past the end of an array", () => {
    for (const names of [
      ["text", "x"],
      ["a", "b", "0", "x"],
      ["a", "b", "1", "c", "x"],
      ["a", "b", "9"],
      ["a", "b", "x"],
      ["x.y", "z", "z"],
    ]) {
      refused(() => withValueAt(root, names, 1));
    }
  });

  test("is what was put there, wherever that is", () => {
    fc.assert(
      fc.property(keys, fc.jsonValue(), (names, value) =>
        expect(valueAt(withValueAt({}, names, value), names)).toEqual(value),
      ),
    );
  });

  test("is removed with nothing else, and undefined tells that there was none", () => {
    expect(withoutValueAt(root, ["text"])).toEqual({ a: root.a, "x.y": 5 });
    expect(withoutValueAt(root, ["a", "b", "1", "c"])).toEqual({ ...root, a: { b: [1, {}] } });
    expect(withoutValueAt(root, ["a", "b", "0"])).toEqual({ ...root, a: { b: [{ c: null }] } });
    expect(withoutValueAt(root, ["a", "nothing"])).toBeUndefined();
    expect(withoutValueAt(root, ["text", "0"])).toBeUndefined();
    expect(withoutValueAt(root, ["toString"])).toBeUndefined();
  });
});
