/** Drive's search lags behind: a provider that is opened seconds after another one has to know what that one made. */
import { expect, test } from "bun:test";
import { bunPlatform } from "../../../src/platform/bun/bun-platform.ts";
import type { Provider } from "../../../src/providers/contract.ts";
import { DriveFaultScript } from "../../fakes/drive/drive-faults.ts";
import type { DriveFake } from "../../fakes/drive/drive-fake.ts";
import { startFake } from "../../fakes/start-fake.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { keysOf, openOn, put, textOf } from "./drive-setup.ts";

const KEY = "nightly/assets/a.txt";
const { files } = bunPlatform();

/** A fake whose search is far behind, and providers of one machine. */
async function setUp(): Promise<{ fake: DriveFake; open: () => Provider; count: () => number }> {
  const fake = await startFake();
  fake.store.indexLagMs = 60_000;
  const stateFolder = tempFolder();
  return {
    fake,
    open: () => openOn(fake, { context: { files, stateFolder } }),
    count: () => [...fake.store.childrenOf(fake.drive.id)].filter(({ trashed }) => !trashed).length,
  };
}

test("a provider finds, lists and replaces what the one before it has made, though no search does", async () => {
  const { open, count } = await setUp();
  const first = open();
  await put(first, KEY, "one");
  await put(first, "manifests/nightly.json", "{}");
  await first.close();
  const second = open();
  expect(await keysOf(second)).toEqual(["manifests/nightly.json", KEY]);
  expect(await textOf(open(), KEY)).toBe("one");
  expect(await textOf(open(), "manifests/nightly.json")).toBe("{}");
  await put(second, KEY, "two");
  expect(count()).toBe(2);
  expect(await textOf(open(), KEY)).toBe("two");
});

test("a provider deletes what the one before it has made", async () => {
  const { open, count } = await setUp();
  await put(open(), KEY, "one");
  expect(await open().delete([KEY])).toEqual([{ key: KEY }]);
  expect(count()).toBe(0);
  expect(await open().stat(KEY)).toBeUndefined();
});

test("a provider finds what the one before it has moved or copied over another file", async () => {
  for (const way of ["move", "copy"] as const) {
    const { open } = await setUp();
    const first = open();
    const { version } = await put(first, `${KEY}.new`, "new");
    await put(first, KEY, "old");
    await first[way]?.(`${KEY}.new`, KEY, { ifVersion: version });
    await first.close();
    expect(await textOf(open(), KEY)).toBe("new");
  }
});

test("a file whose move died with its process before it was sent keeps its old key", async () => {
  const { fake, open } = await setUp();
  const first = open();
  const { version } = await put(first, KEY, "one");
  fake.script = new DriveFaultScript([{ on: "files.update", nth: 1, fault: { kind: "reset", when: "before" } }]);
  await expect(first.move?.(KEY, `${KEY}.new`, { ifVersion: version }) ?? Promise.resolve()).rejects.toThrow();
  fake.script.assertAllFired();
  fake.clock.advance(120_000);
  const second = open();
  expect(await second.stat(`${KEY}.new`)).toBeUndefined();
  expect(await keysOf(second)).toEqual([KEY]);
  expect(await textOf(second, KEY)).toBe("one");
});

test("a create whose answer died with its process makes no second file", async () => {
  for (const when of ["before", "after"] as const) {
    const { fake, open, count } = await setUp();
    fake.script = new DriveFaultScript([{ on: "files.create.multipart", nth: 1, fault: { kind: "reset", when } }]);
    await expect(put(open(), KEY, "one")).rejects.toThrow();
    fake.script.assertAllFired();
    await put(open(), KEY, "one");
    expect(count()).toBe(1);
  }
});

test("a file that has another key by now is neither written over nor removed for the key it was made for", async () => {
  const { open, count } = await setUp();
  const first = open();
  await put(first, KEY, "moves");
  await first.move?.(KEY, "nightly/assets/moved.txt", {});
  await put(open(), KEY, "new");
  expect(count()).toBe(2);
  const third = open();
  expect([await textOf(third, KEY), await textOf(third, "nightly/assets/moved.txt")]).toEqual(["new", "moves"]);
});

test("a key that was made and deleted over and over keeps one file", async () => {
  const { open, count } = await setUp();
  for (let n = 0; n < 3; n++) {
    const provider = open();
    await put(provider, KEY, `${n}`);
    expect(count()).toBe(1);
    await provider.delete([KEY]);
    await provider.close();
  }
  await put(open(), KEY, "last");
  expect(await textOf(open(), KEY)).toBe("last");
});

test("a listing that is behind does not bring back a version older than the one that was recorded", async () => {
  const { fake, open } = await setUp();
  const first = open();
  await put(first, KEY, "one");
  fake.clock.advance(61_000);
  const { version } = await put(first, KEY, "two");
  const second = open();
  second.recall?.([[KEY, version]]);
  const listed = [];
  for await (const info of second.list("")) listed.push(info);
  expect(listed.map((info) => info.version)).toEqual([version]);
});
