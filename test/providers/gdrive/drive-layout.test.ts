/** Where keys lie in Drive, so that the Python studio finds them, and that nothing of them is lost on the way. */
import { describe, expect, test } from "bun:test";
import type { DriveFake } from "../../fakes/drive/drive-fake.ts";
import type { FileRecord } from "../../fakes/drive/file-record.ts";
import { startFake } from "../../fakes/start-fake.ts";
import { keysOf, openOn, put, textOf } from "./drive-setup.ts";

function filesIn(fake: DriveFake, parent = fake.drive.id): FileRecord[] {
  return [...fake.store.childrenOf(parent)];
}

function propertiesOf(fake: DriveFake, file: FileRecord | undefined): Record<string, string> {
  return Object.fromEntries(file?.appProperties.get(fake.account.app) ?? []);
}

function named(fake: DriveFake, name: string, parent?: string): FileRecord {
  const found = filesIn(fake, parent).filter((file) => file.name === name);
  expect(found.length, `files named ${name}`).toBe(1);
  return found[0]!;
}

/** A file as the Python studio stores it. */
function studioFile(fake: DriveFake, path: string, content: string): FileRecord {
  const name = path.split("/").at(-1)!;
  return fake.addFile({ name, content, madeBy: fake.account.app, appProperties: { comfyvn_path: path } });
}

describe("what the Python studio looks for", () => {
  test("an object is a child of parent_id, named by its last segment, with its whole path as a property", async () => {
    const fake = await startFake();
    await put(openOn(fake), "nightly/assets/bg/school.png", "pixels");
    expect(propertiesOf(fake, named(fake, "school.png"))).toEqual({
      comfyvn_path: "assets/bg/school.png",
      comfyvn_snapshot: "nightly",
    });
  });

  test("a manifest is <snapshot>.json under manifest_parent_id", async () => {
    const fake = await startFake();
    const manifests = fake.addFolder({ name: "manifests" });
    await put(openOn(fake, { settings: { manifest_parent_id: manifests.id } }), "manifests/nightly.json", "{}");
    expect(propertiesOf(fake, named(fake, "nightly.json", manifests.id))).toEqual({});
    expect(filesIn(fake).map(({ name }) => name)).toEqual(["manifests"]);
  });

  test("a manifest that the studio wrote is read by its name, also one that differs in case is not", async () => {
    const fake = await startFake();
    fake.addFile({ name: "Nightly.json", content: "other", madeBy: fake.account.app });
    const provider = openOn(fake);
    expect(await textOf(provider, "manifests/nightly.json")).toBeUndefined();
    fake.addFile({ name: "nightly.json", content: "{}", madeBy: fake.account.app });
    expect(await textOf(provider, "manifests/nightly.json")).toBe("{}");
  });

  test("an object called like a manifest is not taken for it", async () => {
    const fake = await startFake();
    const provider = openOn(fake);
    await put(provider, "nightly/nightly.json", "an asset");
    expect(await textOf(provider, "manifests/nightly.json")).toBeUndefined();
    await put(provider, "manifests/nightly.json", "the manifest");
    expect(await textOf(openOn(fake), "nightly/nightly.json")).toBe("an asset");
    expect(await textOf(openOn(fake), "manifests/nightly.json")).toBe("the manifest");
  });
});

describe("names that break queries and limits are kept apart and found again", () => {
  const paths = [
    "it's.png",
    'double"quote.png',
    "back\\slash.png",
    "\\' or name contains '",
    "trailing\\",
    "\u{1f600}/\u{1f468}\u200d\u{1f469}\u200d\u{1f467}.png",
    "assets/" + "\u7acb\u3061\u7d75".repeat(33) + ".png",
    `deep/${"a".repeat(290)}`,
    `deep/${"a".repeat(289)}b`,
    `deep/${"\u{1f600}".repeat(75)}`,
    "a".repeat(112),
    "a".repeat(113),
  ];

  test("in two snapshots at once, with contents of their own, by a machine that has seen nothing", async () => {
    const fake = await startFake();
    const provider = openOn(fake);
    for (const snapshot of ["one", "two"])
      for (const path of paths) await put(provider, `${snapshot}/${path}`, `${snapshot}: ${path}`);
    const fresh = openOn(fake);
    for (const snapshot of ["one", "two"]) {
      for (const path of paths) expect(await textOf(fresh, `${snapshot}/${path}`), path).toBe(`${snapshot}: ${path}`);
      expect(await keysOf(fresh, `${snapshot}/`)).toEqual(paths.map((path) => `${snapshot}/${path}`).toSorted());
    }
    await fresh.delete(paths.map((path) => `one/${path}`));
    expect(await keysOf(openOn(fake), "")).toEqual(paths.map((path) => `two/${path}`).toSorted());
    fake.assertNothingRefused();
  });

  test("a path of more bytes than Drive's properties hold is refused by name before anything is sent", async () => {
    const fake = await startFake();
    const provider = openOn(fake);
    expect(provider.keyFault(`s/${"a".repeat(3_000)}`)).toContain("bytes in UTF-8");
    expect(await put(provider, `s/${"a".repeat(3_000)}`, "x").catch((error: unknown) => error)).toMatchObject({
      code: "key_invalid",
    });
    expect(fake.log.requests).toEqual([]);
  });

  test("a prefix keeps two destinations in one folder apart, manifests too", async () => {
    const fake = await startFake();
    const [plain, dev] = [openOn(fake), openOn(fake, { settings: { prefix: "dev" } })];
    await put(plain, "nightly/a", "plain");
    await put(dev, "dev/nightly/a", "dev");
    await put(plain, "manifests/nightly.json", "plain manifest");
    await put(dev, "dev/manifests/nightly.json", "dev manifest");
    expect(await keysOf(plain, "nightly/")).toEqual(["nightly/a"]);
    expect(await keysOf(dev, "dev/")).toEqual(["dev/manifests/nightly.json", "dev/nightly/a"]);
    expect(await textOf(openOn(fake), "manifests/nightly.json")).toBe("plain manifest");
    expect(await textOf(openOn(fake, { settings: { prefix: "dev" } }), "dev/manifests/nightly.json")).toBe(
      "dev manifest",
    );
  });
});

describe("files that the Python studio stored", () => {
  test("belong to the snapshot whose manifest is there, and to no other", async () => {
    const fake = await startFake();
    studioFile(fake, "assets/a.png", "A");
    expect(await keysOf(openOn(fake))).toEqual([]);
    fake.addFile({ name: "nightly.json", content: "{}", madeBy: fake.account.app });
    expect(await keysOf(openOn(fake), "nightly/")).toEqual(["nightly/assets/a.png"]);
    expect(await textOf(openOn(fake), "nightly/assets/a.png")).toBe("A");
    expect(await keysOf(openOn(fake), "other/")).toEqual([]);
    expect(await textOf(openOn(fake), "other/assets/a.png")).toBeUndefined();
  });

  test("with the content that is put are taken over without sending it", async () => {
    const fake = await startFake();
    const file = studioFile(fake, "assets/a.png", "A");
    fake.addFile({ name: "nightly.json", content: "{}", madeBy: fake.account.app });
    const info = await put(openOn(fake), "nightly/assets/a.png", "A");
    expect(info.version).toStartWith(`${file.id}:`);
    expect(fake.log.contentBytesIn).toBe(0);
    expect(propertiesOf(fake, fake.store.get(file.id))).toEqual({
      comfyvn_path: "assets/a.png",
      comfyvn_snapshot: "nightly",
    });
  });

  test("with other content are written over where one snapshot is in the folder, so that the studio goes on with them", async () => {
    const fake = await startFake();
    const file = studioFile(fake, "assets/a.png", "A");
    fake.addFile({ name: "nightly.json", content: "{}", madeBy: fake.account.app });
    await put(openOn(fake), "nightly/assets/a.png", "B");
    expect(
      filesIn(fake)
        .filter(({ name }) => name === "a.png")
        .map(({ id }) => id),
    ).toEqual([file.id]);
    expect(await textOf(openOn(fake), "nightly/assets/a.png")).toBe("B");
  });

  test("are left alone where two snapshots may mean them, and that is said", async () => {
    const fake = await startFake();
    const file = studioFile(fake, "assets/a.png", "A");
    for (const name of ["one.json", "two.json"]) fake.addFile({ name, content: "{}", madeBy: fake.account.app });
    const provider = openOn(fake);
    await put(provider, "one/assets/a.png", "mine");
    await provider.delete(["two/assets/a.png"]);
    expect(fake.store.get(file.id)).toMatchObject({ trashed: false, content: file.content });
    expect(await textOf(openOn(fake), "one/assets/a.png")).toBe("mine");
    expect(await textOf(openOn(fake), "two/assets/a.png")).toBe("A");
    expect(provider.notices?.().join()).toContain("Python studio");
  });

  test("go to the trash and not for good when they are deleted", async () => {
    const fake = await startFake();
    const file = studioFile(fake, "assets/a.png", "A");
    fake.addFile({ name: "nightly.json", content: "{}", madeBy: fake.account.app });
    const provider = openOn(fake);
    expect(await provider.delete(["nightly/assets/a.png"])).toEqual([{ key: "nightly/assets/a.png" }]);
    expect(fake.store.get(file.id)?.trashed).toBe(true);
    expect(await keysOf(openOn(fake), "nightly/")).toEqual([]);
  });
});

describe("several files for one path", () => {
  async function doubled(fake: DriveFake): Promise<FileRecord[]> {
    const appProperties = { comfyvn_path: "a", comfyvn_snapshot: "s" };
    const files: FileRecord[] = [];
    for (const content of ["old", "new"]) {
      fake.clock.advance(1_000);
      files.push(fake.addFile({ name: "a", content, madeBy: fake.account.app, appProperties }));
    }
    return files;
  }

  test("count as one, the one changed last, on every machine, and that is said", async () => {
    const fake = await startFake();
    const [old] = await doubled(fake);
    for (const provider of [openOn(fake), openOn(fake)]) {
      expect(await textOf(provider, "s/a")).toBe("new");
      expect(await keysOf(provider, "s/")).toEqual(["s/a"]);
      expect(provider.notices?.()).toEqual([expect.stringContaining("more than one file for 1 path(s): s/a")]);
    }
    fake.store.change(old!.id, { modifiedTimeMs: fake.clock.now() + 5_000 });
    expect(await textOf(openOn(fake), "s/a")).toBe("old");
  });

  test("are all deleted with their key, so that none comes up again", async () => {
    const fake = await startFake();
    await doubled(fake);
    await openOn(fake).delete(["s/a"]);
    expect(filesIn(fake)).toEqual([]);
  });

  test("stay where they are when the key is written: only the one that counts changes", async () => {
    const fake = await startFake();
    const [old, fresh] = await doubled(fake);
    await put(openOn(fake), "s/a", "newer");
    const contentOf = (file: FileRecord) => new TextDecoder().decode(fake.store.get(file.id)?.content?.bytes);
    expect([contentOf(old!), contentOf(fresh!)]).toEqual(["old", "newer"]);
  });
});
