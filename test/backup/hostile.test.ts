import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import { restoreBackup } from "../../src/backup/restore-backup.ts";
import { verifyBackup } from "../../src/backup/verify-backup.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { codeOf } from "../support/workspace.ts";
import { backupBench, NAME, treeOf } from "./backup-bench.ts";
import { type ForgedEnd, type ForgedEntry, forgeZip, little, UNIX } from "./zip-forge.ts";

const GOOD: ForgedEntry = { name: "assets/good.txt", data: "good", method: 8 };
const ZEROS = new Uint8Array(12_000_000);
const unix = (mode: number) => ({ madeBy: UNIX, attributes: mode * 65_536 });

/** Each one beside a good entry, which must not be restored either. */
const HOSTILE_ENTRIES: Readonly<Record<string, readonly ForgedEntry[]>> = {
  "security 14: a name that climbs out": [{ name: "../evil.txt", data: "x" }],
  "security 15: a name that climbs to a folder with the root's name as prefix": [{ name: "../root-evil/x", data: "x" }],
  "security 14: a name that climbs out from below": [{ name: "assets/../../evil.txt", data: "x" }],
  "security 14: an absolute name": [{ name: "/etc/evil", data: "x" }],
  "security 14: a drive letter": [{ name: "C:/evil", data: "x" }],
  "security 14: a drive letter without a folder": [{ name: "C:evil", data: "x" }],
  "security 18: a backslash": [{ name: "assets\\..\\..\\evil", data: "x" }],
  "security 14: a share of Windows": [{ name: "\\\\host\\share\\evil", data: "x" }],
  "security 18: a NUL": [{ name: "assets/a.txt\0.png", data: "x" }],
  "a line break": [{ name: "assets/a\nb", data: "x" }],
  "an empty name": [{ name: "", data: "x" }],
  "an empty folder name": [{ name: "assets//a", data: "x" }],
  "a folder of only a slash": [{ name: "/", data: "" }],
  "a dot as a folder": [{ name: "assets/./a", data: "x" }],
  "a dot as a first folder, twice": [{ name: "././a", data: "x" }],
  "security 14: a name that climbs out after a dot": [{ name: "./../evil.txt", data: "x" }],
  "security 14: an absolute name after a dot": [{ name: ".//etc/evil", data: "x" }],
  "security 14: a drive letter after a dot": [{ name: "./C:evil", data: "x" }],
  "a file with the name of the workspace": [{ name: ".", data: "x" }],
  "one name with and without a dot before it": [
    { name: "assets/a", data: "1" },
    { name: "./assets/a", data: "2" },
  ],
  "a local header with a dot before the name": [{ name: "assets/a", data: "x", local: { name: "./assets/a" } }],
  "a local header without the dot before the name": [{ name: "./assets/a", data: "x", local: { name: "assets/a" } }],
  "security 18: a device name": [{ name: "assets/CON.txt", data: "x" }],
  "security 18: a device name as a folder": [{ name: "aux/a.txt", data: "x" }],
  "security 18: a stream of another file": [{ name: "assets/a:b", data: "x" }],
  "security 18: a trailing dot": [{ name: "assets/a.", data: "x" }],
  "security 18: a trailing space": [{ name: "assets/a ", data: "x" }],
  "security 18: a folder with a trailing dot": [{ name: "assets./a", data: "x" }],
  "a name too long": [{ name: `assets/${"x".repeat(256)}`, data: "x" }],
  "a path too long": [{ name: `${"d/".repeat(2_100)}a`, data: "x" }],
  "bytes that are no UTF-8": [{ name: new Uint8Array([0x61, 0xff, 0xfe]), data: "x" }],
  "an overlong UTF-8 slash": [{ name: new Uint8Array([0x2e, 0x2e, 0xc0, 0xaf, 0x61]), data: "x" }],
  "the same name twice": [
    { name: "assets/a", data: "1" },
    { name: "assets/a", data: "2" },
  ],
  "security 18: names that differ in case": [
    { name: "assets/A", data: "1" },
    { name: "assets/a", data: "2" },
  ],
  "security 18: folders that differ in case": [
    { name: "assets/D/a", data: "1" },
    { name: "assets/d/b", data: "2" },
  ],
  "security 18: names that differ in normalisation": [
    { name: "assets/\u00e9", data: "1" },
    { name: "assets/e\u0301", data: "2" },
  ],
  "security 18: a letter that only folding makes equal": [
    { name: "assets/K", data: "1" },
    { name: "assets/\u212a", data: "2" },
  ],
  "a file where another entry needs a folder": [
    { name: "assets/a", data: "1" },
    { name: "assets/a/b", data: "2" },
  ],
  "a folder where another entry is a file, the other way round": [
    { name: "assets/a/b", data: "1" },
    { name: "assets/a", data: "2" },
  ],
  "security 17: a symlink": [{ name: "assets/link", data: "/etc/passwd", ...unix(0o120777) }],
  "security 17: a symlink and a file through it": [
    { name: "assets/link", data: "../..", ...unix(0o120777) },
    { name: "assets/link/evil", data: "x" },
  ],
  "security 17: a symlink that says it is from DOS": [
    { name: "assets/link", data: "..", madeBy: 0, attributes: 0o120777 * 65_536 },
  ],
  "a device node": [{ name: "assets/dev", ...unix(0o020666) }],
  "a pipe": [{ name: "assets/pipe", ...unix(0o010666) }],
  "a socket": [{ name: "assets/socket", ...unix(0o140666) }],
  "a folder with the name of a file": [{ name: "assets/dir", ...unix(0o040755) }],
  "a file with the name of a folder": [{ name: "assets/dir/", ...unix(0o100644) }],
  "a reparse point": [{ name: "assets/link", madeBy: 0, attributes: 0x400 }],
  "a folder with contents": [{ name: "assets/dir/", data: "x", attributes: 0 }],
  "an encrypted entry": [{ name: "assets/a", data: "x", flags: 1 }],
  "a strongly encrypted entry": [{ name: "assets/a", data: "x", flags: 1 << 6 }],
  "an unknown method": [{ name: "assets/a", data: "x", method: 12, packed: new Uint8Array(1) }],
  "security 19: a wrong CRC": [{ name: "assets/a", data: "x", crc: 1 }],
  "security 19: a wrong CRC of deflated data": [{ name: "assets/a", data: "x".repeat(99), method: 8, crc: 1 }],
  "security 19: a size that is too small": [{ name: "assets/a", data: "x".repeat(99), method: 8, size: 98 }],
  "security 19: a size that is too large": [{ name: "assets/a", data: "x".repeat(99), method: 8, size: 100 }],
  "security 19: a stored entry with two sizes": [{ name: "assets/a", data: "xyz", size: 2 }],
  "data that are no Deflate stream": [
    { name: "assets/a", data: "x".repeat(50), method: 8, packed: new Uint8Array(20).fill(0xff) },
  ],
  "a Deflate stream that is cut short": [
    { name: "assets/a", data: "xyz".repeat(50), method: 8, packed: deflateRawSync("xyz".repeat(50)).subarray(0, -2) },
  ],
  "bytes after the end of a Deflate stream": [
    {
      name: "assets/a",
      data: "xyz".repeat(50),
      method: 8,
      packed: Buffer.concat([deflateRawSync("xyz".repeat(50)), Buffer.from("hidden")]),
    },
  ],
  "security 19: a large Deflate stream that is longer than it says": [
    { name: "assets/a", data: ZEROS, method: 8, packed: deflateRawSync(ZEROS, { level: 0 }), size: 11_999_999 },
  ],
  "security 19: an entry that unfolds a thousandfold": [{ name: "assets/a", data: ZEROS, method: 8 }],
  "security 19: an entry that claims more than Deflate can do": [
    { name: "assets/a", data: "x".repeat(99), method: 8, size: 5_000_000 },
  ],
  "a local header with another name": [{ name: "assets/a", data: "x", local: { name: "assets/b" } }],
  "a local header with another CRC": [{ name: "assets/a", data: "x", local: { crc: 5 } }],
  "a local header with another size": [{ name: "assets/a", data: "x", local: { size: 5 } }],
  "a local header with another method": [{ name: "assets/a", data: "x", local: { method: 8 } }],
  "a local header that says encrypted": [{ name: "assets/a", data: "x", local: { flags: 1 } }],
  "no local header": [{ name: "assets/a", data: "x", local: { signature: 0x08074b50 } }],
  "security 19: two entries with the same data": [
    { name: "assets/a", data: "xyz" },
    { name: "assets/b", data: "xyz", isGhost: true, offset: 40 },
  ],
  "security 19: an entry inside the data of another": [
    { name: "assets/a", data: forgeZip([{ name: "assets/b", data: "x" }]) },
    { name: "assets/b", data: "x", isGhost: true, offset: 84 },
  ],
  "an offset past the end": [{ name: "assets/a", data: "x", isGhost: true, offset: 9_999_999 }],
  "bytes between entries": [{ name: "assets/a", data: "x", after: new Uint8Array(7) }],
  "a data descriptor that lies": [
    {
      name: "assets/a",
      data: "x",
      flags: 8,
      local: { crc: 0, size: 0, compressedSize: 0 },
      after: little([4, 0x08074b50], [4, 1], [4, 1], [4, 1]),
    },
  ],
  "an entry on another disk": [{ name: "assets/a", data: "x", disk: 3 }],
  "a Zip64 field that is missing": [{ name: "assets/a", data: "x", size: 0xffff_ffff, local: { size: 1 } }],
  "a Zip64 field that contradicts": [{ name: "assets/a", data: "x", extra: little([2, 1], [2, 8], [8, 77]) }],
  "a Zip64 size that no file has": [
    {
      name: "assets/a",
      data: "x",
      size: 0xffff_ffff,
      extra: Buffer.concat([little([2, 1], [2, 8]), Buffer.alloc(8, 0xff)]),
    },
  ],
  "an extra field that reaches too far": [{ name: "assets/a", data: "x", extra: little([2, 1], [2, 80], [8, 1]) }],
  "an extra field twice": [{ name: "assets/a", data: "x", extra: little([2, 1], [2, 0], [2, 1], [2, 0]) }],
  "a second name in Unicode": [
    {
      name: "assets/a",
      data: "x",
      extra: Buffer.concat([
        little([2, 0x7075], [2, 14]),
        Buffer.from([1]),
        little([4, crc32("assets/a")]),
        Buffer.from("../../bad"),
      ]),
    },
  ],
};

const HOSTILE_ENDS: Readonly<Record<string, ForgedEnd>> = {
  "bytes before the first entry": { before: Buffer.from("#!/bin/sh\n") },
  "bytes after the end": { after: Buffer.from("more") },
  "a second end in the comment": { comment: little([4, 0x06054b50], [8, 0], [8, 0], [2, 0]) },
  "more entries than there are": { entries: 9 },
  "fewer entries than there are": { entries: 1 },
  "several parts": { disk: 1 },
  "entries on other parts": { entriesHere: 1, entries: 2 },
  "a directory elsewhere": { directoryOffset: 3 },
  "a directory shorter than it is": { directoryLength: 5 },
  "a Zip64 end that contradicts": {
    zip64: ({ offset, length }) =>
      Buffer.concat([
        little([4, 0x06064b50], [8, 44], [2, 45], [2, 45], [4, 0], [4, 0]),
        little([8, 7], [8, 7], [8, length], [8, offset]),
        little([4, 0x07064b50], [4, 0], [8, offset + length], [4, 1]),
      ]),
  },
  "a Zip64 locator to nowhere": {
    zip64: () => Buffer.concat([Buffer.alloc(56), little([4, 0x07064b50], [4, 0], [8, 0], [4, 1])]),
  },
};

async function expectRefused(archive: Uint8Array): Promise<void> {
  const outside = tempFolder();
  const bench = backupBench({ "assets/kept.txt": "kept" }, { root: join(outside, "root") });
  writeFileSync(join(outside, "beside"), "beside");
  bench.archive(archive);
  const before = treeOf(outside);
  const inside = treeOf(bench.root);
  for (const replace_existing of [false, true]) {
    expect(await codeOf(restoreBackup(bench.engine, { name: NAME, replace_existing }))).toBe("archive_invalid");
  }
  expect(treeOf(outside)).toEqual(before);
  expect(treeOf(bench.root)).toEqual(inside);
  expect((await verifyBackup(bench.engine, NAME)).ok).toBe(false);
}

describe("restore refuses, with the tree as it was,", () => {
  for (const [what, entries] of Object.entries(HOSTILE_ENTRIES)) {
    test(what, () => expectRefused(forgeZip([GOOD, ...entries])));
  }
  for (const [what, end] of Object.entries(HOSTILE_ENDS)) {
    test(what, () => expectRefused(forgeZip([GOOD, { name: "assets/other", data: "x" }], end)));
  }

  test("security 19: an archive whose every part is small and whose whole unfolds beyond reason", () => {
    const data = new Uint8Array(9_000_000);
    const packed = deflateRawSync(data);
    const parts = Array.from({ length: 12 }, (_, i) => ({ name: `assets/${i}`, data, method: 8, packed }));
    return expectRefused(forgeZip(parts));
  });

  test("security 25: deep names that need more folders than memory should hold", () => {
    const deep = (i: number) => ({ name: `${i}/${"d/".repeat(2_040)}f`, data: "x" });
    return expectRefused(forgeZip(Array.from({ length: 246 }, (_, i) => deep(i))));
  });

  test("what is no archive", async () => {
    await expectRefused(Buffer.from("hello"));
    await expectRefused(new Uint8Array());
    await expectRefused(Buffer.alloc(70_000, 0x50));
  });

  test("every archive that is cut short", async () => {
    const whole = forgeZip([GOOD, { name: "assets/other", data: "other" }]);
    for (let length = 0; length < whole.byteLength; length += 7) await expectRefused(whole.subarray(0, length));
  });
});

test("the archive that the others are made from is restored", async () => {
  const bench = backupBench();
  bench.archive(forgeZip([GOOD, { name: "assets/other", data: "x" }], { comment: Buffer.from("a comment") }));
  const { restored, skipped } = await restoreBackup(bench.engine, { name: NAME });
  expect(restored).toEqual(["assets/good.txt", "assets/other"]);
  expect(skipped).toEqual([]);
  expect(bench.read("assets/good.txt")).toBe("good");
});
