import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { SyncError } from "../../src/core/errors.ts";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import type { Database } from "../../src/platform/contract.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { seededRandom } from "../support/virtual-clock.ts";
import { indexedScan, indexFile, type IndexedOptions, watchedTree } from "./indexed.ts";
import { plant, scan } from "./support.ts";

const FILES = { "a/1": "one", "a/2": "two", "b/3": "three", "b/4": "four", top: "top" };

/** A workspace with an index, which `damage` then gets at. */
async function damaged(damage: (index: string) => void) {
  const root = tempFolder();
  plant(root, FILES);
  await indexedScan(root);
  damage(indexFile(root));
  return root;
}

/** The manifest is right now and after, and the index is whole again where it `recovers`. */
async function expectRight(root: string, recovers: boolean, options: IndexedOptions = {}): Promise<void> {
  const expected = [...(await scan(root)).manifest.entries.values()].filter(({ path }) => path in FILES);
  const { tree, opened } = watchedTree();
  for (let round = 0; round < 2; round++) {
    opened();
    const { manifest } = await indexedScan(root, { ...options, tree });
    expect([...manifest.entries.values()].filter(({ path }) => path in FILES)).toEqual(expected);
  }
  expect(opened().filter((name) => name !== "cache")).toHaveLength(recovers ? 0 : Object.keys(FILES).length);
}

function overwrite(bytes: Uint8Array): (index: string) => void {
  return (index) => writeFileSync(index, bytes);
}

describe("an index is made anew when it is", () => {
  test.each<[string, (index: string) => void]>([
    ["deleted", (index) => rmSync(index)],
    ["empty", overwrite(new Uint8Array())],
    ["cut", (index) => truncateSync(index, 5_000)],
    ["cut inside its header", (index) => truncateSync(index, 50)],
    ["random bytes", overwrite(new Uint8Array(20_000).map((_, k) => (k * 7_919) >> 3))],
    ["text", overwrite(new TextEncoder().encode("not a database\n".repeat(100)))],
    ["an empty folder", (index) => (rmSync(index), mkdirSync(index))],
    ["a symlink", (index) => (rmSync(index), symlinkSync("/etc/hostname", index))],
    ["of another format", (index) => alter(index, "PRAGMA user_version = 99")],
    ["without its table", (index) => alter(index, "DROP TABLE blobs")],
    ["with a table of another shape", (index) => alter(index, "DROP TABLE blobs; CREATE TABLE blobs (x)")],
    [
      "another application's",
      (index) => {
        rmSync(index);
        alter(index, "CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
      },
    ],
    ["followed by a journal of nonsense", (index) => writeFileSync(`${index}-journal`, "nonsense")],
  ])("%s", async (_, damage) => {
    await expectRight(await damaged(damage), true);
  });
});

test("a symlink in the index's place is not written through", async () => {
  const outside = `${tempFolder()}/outside`;
  const root = await damaged((index) => (rmSync(index), symlinkSync(outside, index)));
  await indexedScan(root);
  expect(await Bun.file(outside).exists()).toBe(false);
});

describe("an index is done without where it is", () => {
  test("a folder with something in it", async () => {
    const root = await damaged((index) => (rmSync(index), mkdirSync(index), writeFileSync(`${index}/mine`, "")));
    await expectRight(root, false);
  });

  test("in a place that is no folder", async () => {
    const root = tempFolder();
    plant(root, { ...FILES, cache: "a file of the user's" });
    await expectRight(root, false);
  });

  test("held by another process", async () => {
    let theirs: DatabaseSync | undefined;
    const root = await damaged((index) => {
      theirs = new DatabaseSync(index);
      theirs.exec("BEGIN EXCLUSIVE");
    });
    try {
      await expectRight(root, false);
      expect(readFileSync(indexFile(root)).byteLength).toBeGreaterThan(0);
    } finally {
      theirs?.close();
    }
    const { tree, opened } = watchedTree();
    await indexedScan(root, { tree });
    expect(opened()).toEqual([]);
  });

  test.each(["BEGIN IMMEDIATE", "INSERT", "COMMIT"])("refusing to be written, at %s", async (statement) => {
    const root = tempFolder();
    plant(root, FILES);
    let refused = 0;
    const openDatabase = (path: string) => refusing(bunPlatform().openDatabase(path), statement, () => refused++);
    await expectRight(root, false, { openDatabase });
    expect(refused).toBeGreaterThan(0);
  });
});

test("no flipped byte of the index makes a wrong hash", async () => {
  let whole = new Uint8Array();
  const root = await damaged((index) => (whole = new Uint8Array(readFileSync(index))));
  const expected = [...(await scan(root)).manifest.entries.values()].filter(({ path }) => path in FILES);
  // Every byte near the records, where the hashes are, and some of the rest.
  const random = seededRandom(1);
  const start = findRecords(whole);
  const places = [
    ...Array.from({ length: 500 }, (_, k) => start + k),
    ...Array.from({ length: 300 }, () => Math.floor(random() * whole.byteLength)),
  ];
  for (const place of places) {
    const flipped = whole.slice();
    flipped[place] = (flipped[place] ?? 0) ^ (1 << Math.floor(random() * 8));
    writeFileSync(indexFile(root), flipped);
    const { manifest } = await indexedScan(root);
    expect([place, [...manifest.entries.values()].filter(({ path }) => path in FILES)]).toEqual([place, expected]);
  }
});

/** Where the last-written records lie in the file: around the first file's name. */
function findRecords(bytes: Uint8Array): number {
  const names = new TextDecoder("latin1").decode(bytes).indexOf("a/1\x002");
  expect(names).toBeGreaterThan(400);
  return names - 400;
}

function alter(index: string, sql: string): void {
  const database = new DatabaseSync(index);
  database.exec(sql);
  database.close();
}

/** `database`, on which statements that begin with `statement` fail as on a full disk. */
function refusing(database: Database, statement: string, onRefused: () => void): Database {
  const check = (sql: string) => {
    // The table is made in one piece with its own transaction.
    if (!sql.startsWith(statement) || sql.includes("CREATE")) return;
    onRefused();
    throw new SyncError("file_unreadable", "the database cannot be used");
  };
  return {
    ...database,
    execute: (sql) => (check(sql), database.execute(sql)),
    run: (sql, ...values) => (check(sql), database.run(sql, ...values)),
  };
}
