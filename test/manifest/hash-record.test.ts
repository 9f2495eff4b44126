import { describe, expect, test } from "bun:test";
import { HashRecord } from "../../src/manifest/hash-record.ts";
import type { FileStat } from "../../src/platform/contract.ts";
import { sha256Of } from "./support.ts";

const SECOND = 1_000_000_000n;
const HASHED_AT = 1_700_000_000n * SECOND;
/** Written just long enough before it was hashed. */
const STAT: FileStat = {
  kind: "file",
  size: 5,
  mtimeNs: HASHED_AT - 2n * SECOND,
  ctimeNs: HASHED_AT - 2n * SECOND,
  inode: 2n ** 64n - 1n,
  device: 3n,
  mode: 0o644,
};

function recordOf(stat: FileStat = STAT): HashRecord {
  const record = HashRecord.create("folder/", "é\0b", 2, 7);
  record.setHashed(0, stat, sha256Of("hello"), HASHED_AT);
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

describe("a hash is trusted", () => {
  test("of a file that was left alone for two seconds before", () => {
    expect(recordOf().isTrusted(0, STAT, HASHED_AT)).toBe(true);
  });

  test("on another device: network mounts change theirs", () => {
    expect(recordOf().isTrusted(0, { ...STAT, device: 4n }, HASHED_AT)).toBe(true);
  });
});

describe("a hash is not trusted when one thing differs", () => {
  // Older stamps, as a restored disk image has them: that the file is not racy is not enough.
  test.each<[string, Partial<FileStat>]>([
    ["kind", { kind: "other" }],
    ["size", { size: 6 }],
    ["mtime by a nanosecond", { mtimeNs: STAT.mtimeNs - 1n }],
    ["ctime by a nanosecond", { ctimeNs: STAT.ctimeNs - 1n }],
    ["inode by the last bit of 64", { inode: STAT.inode - 1n }],
  ])("%s", (_, change) => {
    expect(recordOf().isTrusted(0, { ...STAT, ...change }, HASHED_AT)).toBe(false);
  });

  test.each(["mtimeNs", "ctimeNs"] as const)("%s less than two seconds before the hash, equal as it is", (field) => {
    const stat = { ...STAT, [field]: STAT[field] + 1n };
    expect(recordOf(stat).isTrusted(0, stat, HASHED_AT)).toBe(false);
  });

  test("the clock, which is before the moment of the hash", () => {
    expect(recordOf().isTrusted(0, STAT, HASHED_AT - 1n)).toBe(false);
  });

  test("a row without a hash", () => {
    const zero = { ...STAT, size: 0, mtimeNs: 0n, ctimeNs: 0n, inode: 0n };
    expect(HashRecord.create("", "a", 1, 0).isTrusted(0, zero, HASHED_AT)).toBe(false);
  });
});
