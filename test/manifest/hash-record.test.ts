import { describe, expect, test } from "bun:test";
import { HashRecord } from "../../src/manifest/hash-record.ts";
import type { FileStat } from "../../src/platform/contract.ts";
import { quickStat } from "./fake-tree.ts";
import { sha256Of } from "./support.ts";

const HASHED_AT_MS = 1_700_000_000_000;
const WRITTEN_AT_NS = BigInt(HASHED_AT_MS - 2_000) * 1_000_000n;
/** Written just long enough before it was hashed. */
const STAT: FileStat = {
  kind: "file",
  size: 5,
  mtimeNs: WRITTEN_AT_NS,
  ctimeNs: WRITTEN_AT_NS,
  inode: 9n,
  device: 3n,
  mode: 0o644,
};

function recordOf(stat: FileStat = STAT): HashRecord {
  const record = HashRecord.create("folder/", "é\0b", 2, 7);
  record.setHashed(0, stat, sha256Of("hello"), HASHED_AT_MS);
  record.setFailed(1, "vanished");
  return record;
}

test("a record tells all that was put in, also after its bytes were moved", () => {
  const joined = new Uint8Array([...recordOf().bytes, ...recordOf().bytes]);
  for (const record of HashRecord.each(joined)) {
    expect([record.folder(), record.names(), record.part, record.hashedRows]).toEqual(["folder/", ["é", "b"], 7, 1]);
    expect([record.size(0), record.entry(0, "").mtime, record.hashes().slice(0, 64)]).toEqual([
      5,
      1_699_999_998,
      sha256Of("hello"),
    ]);
    expect([record.failure(0), record.failure(1), record.isHashed(1)]).toEqual([undefined, "vanished", false]);
  }
  expect([...HashRecord.each(joined)]).toHaveLength(2);
});

test.each<[string, readonly number[]]>([
  ["without a length", [0, 0, 0, 0, 0, 0]],
  ["shorter than its header", [8, 0, 0, 0, 0, 0]],
  ["longer than what is there", [32, 0, 0, 0, 0, 0]],
  ["of more rows than it is long", [24, 1, 0, 0, 0, 1]],
  ["of four milliard rows", [24, 0xffff_ffff, 0, 0, 0, 0]],
  ["of names longer than itself", [24, 0, 0, 1, 0, 0]],
  ["that the next one could not be aligned to", [25, 0, 0, 0, 0, 0]],
])("a record %s ends the reading, and neither hangs nor is believed", (_, header) => {
  const whole = recordOf().bytes;
  const joined = new Uint8Array([...whole, ...new Uint8Array(new Uint32Array(header).buffer), 0]);
  const rows = [];
  for (const record of HashRecord.each(joined)) {
    rows.push(record.rows);
    if (rows.length > 2) break;
  }
  expect(rows).toEqual([2]);
});

describe("a hash is trusted", () => {
  test("of a file that was left alone for two seconds before", () => {
    expect(recordOf().stats.isTrusted(0, quickStat(STAT), HASHED_AT_MS)).toBe(true);
  });

  test("on another device: network mounts change theirs", () => {
    expect(recordOf().stats.isTrusted(0, quickStat({ ...STAT, device: 4n }), HASHED_AT_MS)).toBe(true);
  });
});

describe("a hash is not trusted when one thing differs", () => {
  // Older stamps, as a restored disk image has them: that the file is not racy is not enough.
  test.each<[string, Partial<FileStat>]>([
    ["kind", { kind: "other" }],
    ["size", { size: 6 }],
    ["mtime by two microseconds", { mtimeNs: STAT.mtimeNs - 2_000n }],
    ["ctime by two microseconds", { ctimeNs: STAT.ctimeNs - 2_000n }],
    ["inode", { inode: STAT.inode - 1n }],
  ])("%s", (_, change) => {
    expect(recordOf().stats.isTrusted(0, quickStat({ ...STAT, ...change }), HASHED_AT_MS)).toBe(false);
  });

  test.each(["mtimeNs", "ctimeNs"] as const)("%s less than two seconds before the hash, equal as it is", (field) => {
    const stat = { ...STAT, [field]: STAT[field] + 1_000n };
    expect(recordOf(stat).stats.isTrusted(0, quickStat(stat), HASHED_AT_MS)).toBe(false);
  });

  test("the clock, which is before the moment of the hash", () => {
    expect(recordOf().stats.isTrusted(0, quickStat(STAT), HASHED_AT_MS - 1)).toBe(false);
  });

  test("a row without a hash", () => {
    const zero = { ...STAT, size: 0, mtimeNs: 0n, ctimeNs: 0n, inode: 0n };
    expect(HashRecord.create("", "a", 1, 0).stats.isTrusted(0, quickStat(zero), HASHED_AT_MS)).toBe(false);
  });
});
