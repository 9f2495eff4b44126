import { describe, expect, test } from "bun:test";
import { localKeyFault } from "../../src/providers/local/local-keys.ts";

const linux = { rootBytes: 20, windows: false };
const windows = { rootBytes: 20, windows: true };

describe("a key that is no path below the folder is refused", () => {
  const refused = [
    "",
    "/absolute",
    "//host/share",
    "..",
    "../up",
    "a/../../up",
    "a/..",
    "./a",
    "a/./b",
    "a//b",
    "a/",
    "nul\0byte",
    "\ud800",
    "x".repeat(256),
    "\u4e16".repeat(86),
    `${"deep/".repeat(900)}x`,
  ];
  for (const key of refused) {
    test(JSON.stringify(key).slice(0, 60), () => {
      expect(localKeyFault(key, linux)).toBeDefined();
      expect(localKeyFault(key, windows)).toBeDefined();
    });
  }
});

describe("a key that would be one of the product's own files is refused", () => {
  for (const key of [
    ".comfyvn-sync",
    ".comfyvn-sync/destination.json",
    ".COMFYVN-Sync/locks/00",
    "a/.hero.png.0123456789abcdef.tmp",
  ]) {
    test(key, () => expect(localKeyFault(key, linux)).toBeDefined());
  }
});

describe("an ordinary key is accepted", () => {
  for (const key of [
    "a",
    "a/b/c.png",
    ".hidden",
    "..x",
    "x..",
    "a b+c%20.txt",
    "\u4e16\u754c/\u{1f600}",
    "x".repeat(255),
    "file.tmp",
    ".a.tmp",
    "dir.comfyvn-sync/x",
  ]) {
    test(key.slice(0, 40), () => {
      expect(localKeyFault(key, linux)).toBeUndefined();
    });
  }
});

describe("what Windows cannot name is refused there only", () => {
  for (const key of [
    "CON",
    "con.txt",
    "a/NUL.png",
    "com1",
    "lpt9.x",
    "a:b",
    "C:",
    "a\\b",
    "..\\up",
    "what?",
    "star*",
    'q"',
    "<x>",
    "pipe|",
    "dot.",
    "space ",
    "tab\t",
    "a./b",
  ]) {
    test(JSON.stringify(key), () => {
      expect(localKeyFault(key, windows)).toBeDefined();
      expect(localKeyFault(key, linux)).toBeUndefined();
    });
  }
});
