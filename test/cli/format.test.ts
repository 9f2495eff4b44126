import { describe, expect, test } from "bun:test";
import { formatBytes, formatCount, formatNumber, formatTable, printable } from "../../src/cli/format.ts";
import { generatePassphrase } from "../../src/cli/vault/generate-passphrase.ts";

describe("sizes", () => {
  const sizes: readonly (readonly [number, string])[] = [
    [0, "0 B"],
    [-5, "0 B"],
    [1023, "1023 B"],
    [1024, "1.0 KiB"],
    [102_300, "99.9 KiB"],
    [102_350, "100 KiB"],
    [1024 * 1024 - 1, "1.0 MiB"],
    [5.25 * 1024 ** 3, "5.3 GiB"],
    [2 ** 60, "1024 PiB"],
  ];
  for (const [bytes, text] of sizes) test(`${bytes} bytes`, () => expect(formatBytes(bytes)).toBe(text));
});

test("counts have their plural and their thousands", () => {
  expect([formatCount(0, "file"), formatCount(1, "file"), formatCount(1_234_567, "file")]).toEqual([
    "0 files",
    "1 file",
    "1,234,567 files",
  ]);
  expect(formatNumber(999)).toBe("999");
});

test("a table's last column is not padded", () => {
  expect(
    formatTable(
      [
        ["a", "b"],
        ["long", "c"],
      ],
      " ",
    ),
  ).toBe(" a     b\n long  c");
});

test("what a terminal would obey is shown, not sent", () => {
  expect(printable("a\u001b[2J\n\u009b\u202e\u2067é😀")).toBe("a\\x1b[2J\\x0a\\x9b\\u202e\\u2067é😀");
});

test("no two generated passphrases are alike", () => {
  expect(new Set(Array.from({ length: 100 }, generatePassphrase)).size).toBe(100);
});
