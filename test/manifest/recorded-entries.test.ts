import { describe, expect, test } from "bun:test";
import { HashRecord } from "../../src/manifest/hash-record.ts";
import { RecordedEntries, type RecordedRows, RowOrder } from "../../src/manifest/recorded-entries.ts";
import type { FileStat } from "../../src/platform/contract.ts";

const STAT: FileStat = { kind: "file", size: 3, mtimeNs: 5n, ctimeNs: 5n, inode: 1n, device: 1n, mode: 0o644 };

/** Each file's hash is its place in the record, in every digit. */
function rows(prefix: string, names: readonly string[], from = 0, to = names.length): RecordedRows {
  const record = HashRecord.create(prefix, names.join("\0"), names.length, 0);
  for (const row of names.keys()) record.setHashed(row, STAT, `${row}`.repeat(64), 9);
  return { prefix, record, from, to };
}

function isInOrder(runs: readonly RecordedRows[]): boolean {
  const order = new RowOrder();
  for (const run of runs) order.add(run);
  return order.isRight;
}

function entriesOf(...runs: readonly RecordedRows[]): RecordedEntries {
  expect(isInOrder(runs)).toBe(true);
  return new RecordedEntries(runs);
}

describe("entries kept as records", () => {
  // As in a tree: what is below a folder stands between the files around it, here in two runs of one record.
  const around = ["a", "b", "c"];
  const entries = entriesOf(rows("", around, 0, 2), rows("b/", ["x", "y"]), rows("", around, 2, 3));

  test("are a Map to whoever looks", () => {
    const map = new Map([...entries]);
    expect([...map.keys()]).toEqual(["a", "b", "b/x", "b/y", "c"]);
    expect([...entries.keys()]).toEqual([...map.keys()]);
    expect([...entries.values()]).toEqual([...map.values()]);
    expect([...entries.entries()]).toEqual([...map.entries()]);
    expect(entries.size).toBe(map.size);
    const seen: unknown[] = [];
    entries.forEach((entry, path, of) => seen.push([path, entry, of === entries]));
    expect(seen).toEqual([...map].map(([path, entry]) => [path, entry, true]));
    for (const [path, entry] of map) expect(entries.get(path)).toEqual(entry);
  });

  test("name nothing that is in a record and not among their rows", () => {
    const some = entriesOf(rows("", around, 1, 2));
    expect(["a", "b", "c"].map((path) => some.has(path))).toEqual([false, true, false]);
  });

  test("say no for what is not there", () => {
    const absent = ["", "aa", "b/", "b/w", "b/z", "d/x", "x", "b/x/y"];
    expect(absent.filter((path) => entries.has(path))).toEqual([]);
  });

  test("each have their own hash, asked for one by one or all at once", () => {
    expect(entries.get("c")?.sha256).toBe("2".repeat(64));
    expect([...entries.values()].map(({ sha256 }) => sha256[0])).toEqual(["0", "1", "0", "1", "2"]);
  });

  test("are refused when records are not by code point, or name a path twice", () => {
    const wrong = [
      [rows("b/", ["x"]), rows("a/", ["x"])],
      [rows("a/", ["x"]), rows("a/", ["x"])],
      [rows("", around, 1, 3), rows("", around, 0, 2)],
      // By UTF-16 unit the first comes first, by code point the second.
      [rows("\u{1F600}/", ["x"]), rows("\uFFFD/", ["x"])],
    ];
    for (const runs of wrong) expect(isInOrder(runs)).toBe(false);
    expect(isInOrder([rows("\uFFFD/", ["x"]), rows("\u{1F600}/", ["x"])])).toBe(true);
  });
});
