import { describe, expect, test } from "bun:test";
import {
  appendFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
} from "node:fs";
import { join } from "node:path";
import { createBackup } from "../../src/backup/create-backup.ts";
import { listBackups } from "../../src/backup/list-backups.ts";
import { restoreBackup } from "../../src/backup/restore-backup.ts";
import { verifyBackup } from "../../src/backup/verify-backup.ts";
import { MANIFEST_ENTRY } from "../../src/backup/zip-format.ts";
import { isHardExcluded } from "../../src/manifest/hard-exclusion.ts";
import type { TreeReader } from "../../src/platform/contract.ts";
import { systemFault } from "../support/faulty-files.ts";
import { codeOf } from "../support/workspace.ts";
import { backupBench, engineAt, filesBelow, treeOf } from "./backup-bench.ts";
import { entriesOf } from "./zip-reader.ts";

/** Bytes that do not compress. */
function noise(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** A clock that stands where it is put; sleeping moves it. */
function clockAt(iso: string) {
  const clock = {
    ms: Date.parse(iso),
    slept: 0,
    now: () => clock.ms,
    sleep: async (ms: number) => {
      clock.slept += ms;
      clock.ms += ms;
    },
  };
  return clock;
}

const archivePath = (root: string, name: string) => join(root, "backups", "cloud", name);

describe("an archive", () => {
  test("holds the default folders, and a manifest of exactly what is in it", async () => {
    const bench = backupBench({ "data/a": "1", "assets/b/c.txt": "22", "config/x.json": "{}", "docs/no": "no" });
    const backup = await createBackup(bench.engine, { label: "pre-release" });
    expect(backup.name).toMatch(/^\d{8}T\d{6}Z-pre-release\.zip$/);
    expect(backup).toMatchObject({
      path: `backups/cloud/${backup.name}`,
      files: 3,
      content_bytes: 5,
      removed: [],
      skipped: [],
      bytes: statSync(archivePath(bench.root, backup.name)).size,
    });
    const entries = entriesOf(readFileSync(archivePath(bench.root, backup.name)));
    expect([...entries.keys()]).toEqual(["assets/b/c.txt", "config/x.json", "data/a", MANIFEST_ENTRY]);
    const document = JSON.parse(new TextDecoder().decode(entries.get(MANIFEST_ENTRY)));
    expect(Object.keys(document).toSorted()).toEqual(["checksum", "created_at", "exclude", "manifest", "paths"]);
    expect(document).toMatchObject({ paths: ["assets", "config", "data"], checksum: backup.checksum });
    expect(document.manifest.entries["data/a"]).toMatchObject({
      size: 1,
      sha256: "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
    });
    expect(bench.events).toMatchObject([
      { type: "backup.create", name: backup.name, files: 3, removed: 0, paths: ["assets", "config", "data"] },
    ]);
  });

  test("security 13: never holds the vault, environment files or older archives, even when they are asked for", async () => {
    const bench = backupBench({
      "config/comfyvn.secrets.json": "secret",
      "config/.comfyvn.secrets.json.0123456789abcdef.tmp": "secret",
      "assets/.env": "secret",
      ".env.local": "secret",
      "backups/cloud/20200101T000000Z.zip": "old",
      "logs/server.log": "log",
      "assets/a": "a",
    });
    linkSync(join(bench.root, "config/comfyvn.secrets.json"), join(bench.root, "assets/innocent.json"));
    const include = [".", "config/comfyvn.secrets.json", "assets/.env", "backups/cloud"];
    const backup = await createBackup(bench.engine, { include, exclude: [] });
    const entries = entriesOf(readFileSync(archivePath(bench.root, backup.name)));
    expect([...entries.keys()]).toEqual(["assets/a", MANIFEST_ENTRY]);
    expect(backup.skipped).toContainEqual({ path: "assets/innocent.json", reason: "protected" });
    expect([...entries.keys()].some(isHardExcluded)).toBe(false);
  });

  test("brings every kind of content back byte for byte, with its time and mode", async () => {
    const files: Record<string, string | Uint8Array> = {
      "assets/empty": "",
      "assets/one": "x",
      "assets/text": "line of text\n".repeat(4_000),
      "assets/noise": noise(100_000),
      "assets/exactly-one-piece": noise(1_048_576, 2),
      "assets/large-text": "some words that repeat themselves ".repeat(100_000),
      "assets/large-noise": noise(3_500_001, 3),
      "assets/large-zeros": new Uint8Array(12_000_000),
      "assets/noise-then-text": Buffer.concat([noise(1_500_000), Buffer.from("text ".repeat(500_000))]),
      "assets/text-then-noise": Buffer.concat([Buffer.from("text ".repeat(300_000)), noise(2_000_000)]),
      "assets/ünï/日本語/😀.txt": "unicode",
    };
    const bench = backupBench(files);
    utimesSync(join(bench.root, "assets/one"), 1_763_438_645.123456, 1_763_438_645.123456);
    const before = treeOf(join(bench.root, "assets"));
    const backup = await createBackup(bench.engine, { include: ["assets"] });
    expect(await verifyBackup(bench.engine, backup.name)).toMatchObject({ ok: true, checksum: backup.checksum });

    const fresh = backupBench();
    fresh.archive(readFileSync(archivePath(bench.root, backup.name)), backup.name);
    const result = await restoreBackup(fresh.engine, { name: backup.name });
    expect(result.restored.toSorted()).toEqual(Object.keys(files).toSorted());
    expect(treeOf(join(fresh.root, "assets"))).toEqual(before);
    // The times came back to the last digit: the same manifest, so the same checksum.
    expect((await createBackup(fresh.engine, { include: ["assets"] })).checksum).toBe(backup.checksum);
  });

  test("stores what does not compress and deflates what does, whatever the names say", async () => {
    const bench = backupBench({ "assets/noise.txt": noise(400_000), "assets/text.png": "text ".repeat(80_000) });
    const { bytes } = await createBackup(bench.engine, { include: ["assets"] });
    expect(bytes).toBeLessThan(410_000);
    expect(bytes).toBeGreaterThan(400_000);
  });

  test("never holds older archives, though their folder is a symlink to one that is archived", async () => {
    const bench = backupBench({ "assets/a": "a", "assets/archives/notes.txt": "n", "backups/other": "" });
    symlinkSync("../assets/archives", join(bench.root, "backups/cloud"));
    const first = await createBackup(bench.engine, { include: ["assets"] });
    const second = await createBackup(bench.engine, { include: ["assets"] });
    expect(second.files).toBe(2);
    expect(second.skipped).toEqual([{ path: `assets/archives/${first.name}`, reason: "protected" }]);
  });

  test("can be restored though a folder is named like the archive's own in another case", async () => {
    const bench = backupBench({ "__META__/a": "a", "__meta__/b": "b", "assets/c": "c" });
    const { name, skipped } = await createBackup(bench.engine, { include: ["."] });
    expect(skipped).toEqual([
      { path: "__META__/a", reason: "name_collision" },
      { path: "__meta__/b", reason: "reserved_name" },
    ]);
    expect(await verifyBackup(bench.engine, name)).toMatchObject({ ok: true, files: 1 });
  });

  test("two backups of one tree hold the same entries in the same order", async () => {
    const bench = backupBench({
      "assets/b": "b",
      "assets/a/z": "z",
      "assets/a-b": "-",
      "assets/😀": "1",
      "assets/\ufffd": "2",
    });
    const first = await createBackup(bench.engine, { include: ["assets"] });
    const second = await createBackup(bench.engine, { include: ["assets"] });
    expect(second.checksum).toBe(first.checksum);
    const names = (name: string) => [...entriesOf(readFileSync(archivePath(bench.root, name))).keys()];
    expect(names(second.name)).toEqual(names(first.name));
  });
});

describe("what cannot be archived is told and left out:", () => {
  test("symlinks, and include paths that are not there", async () => {
    const bench = backupBench({ "assets/a": "a" });
    symlinkSync("/etc/passwd", join(bench.root, "assets/link"));
    const { skipped, files } = await createBackup(bench.engine, { include: ["assets", "asets"] });
    expect(files).toBe(1);
    expect(skipped).toEqual([
      { path: "assets/link", reason: "symlink" },
      { path: "asets", reason: "missing" },
    ]);
  });

  test("names that restore would refuse on some system", async () => {
    const names = ["assets/con.txt", "assets/a:b", "assets/a\\b", "assets/dot.", "__meta__/x", "assets/A"];
    const bench = backupBench(Object.fromEntries([...names, "assets/a"].map((name) => [name, name])));
    const { skipped, name } = await createBackup(bench.engine, { include: ["assets", "__meta__"] });
    expect(Object.fromEntries(skipped.map(({ path, reason }) => [path, reason]))).toEqual({
      "__meta__/x": "reserved_name",
      "assets/a": "name_collision",
      "assets/a:b": "unportable_name",
      "assets/a\\b": "unportable_name",
      "assets/con.txt": "unportable_name",
      "assets/dot.": "unportable_name",
    });
    expect((await verifyBackup(bench.engine, name)).ok).toBe(true);
  });

  /** A tree in which reading `path` for the nth time runs `change` first. */
  function changing(root: string, path: string, change: () => void): { tree: TreeReader; changes: () => number } {
    const { tree } = engineAt(root);
    let changes = 0;
    return {
      changes: () => changes,
      tree: {
        ...tree,
        open: (native, options) => {
          const file = tree.open(native, options);
          if (!native.endsWith(path)) return file;
          return {
            ...file,
            read: (into) => {
              const count = file.read(into);
              if (count > 0) change();
              changes++;
              return count;
            },
          };
        },
      },
    };
  }

  for (const [what, size] of [
    ["a small file", 1_000],
    ["a large file", 3_000_000],
  ] as const) {
    test(`${what} that is written to while it is read`, async () => {
      const bench = backupBench({ "assets/busy": noise(size), "assets/calm": "calm", "assets/z": noise(2_000_000, 5) });
      const path = join(bench.root, "assets/busy");
      const { tree, changes } = changing(bench.root, "assets/busy", () => appendFileSync(path, "x"));
      const { skipped, files, name } = await createBackup({ ...bench.engine, tree }, { include: ["assets"] });
      expect(changes()).toBeGreaterThan(0);
      expect(skipped).toEqual([{ path: "assets/busy", reason: "changed" }]);
      expect(files).toBe(2);
      expect(await verifyBackup(bench.engine, name)).toMatchObject({ ok: true, files: 2 });
    });
  }

  test("a file that is gone by the time it is read", async () => {
    const bench = backupBench({ "assets/gone": "gone", "assets/here": "here" });
    const { tree } = bench.engine;
    const vanishing: TreeReader = {
      ...tree,
      open: (native, options) => {
        if (native.endsWith("gone")) throw systemFault("file_missing", "ENOENT");
        return tree.open(native, options);
      },
    };
    const { skipped } = await createBackup({ ...bench.engine, tree: vanishing }, { include: ["assets"] });
    expect(skipped).toEqual([{ path: "assets/gone", reason: "vanished" }]);
  });
});

describe("rotation", () => {
  test("removes the oldest by name, only after success, and only what this product named", async () => {
    const bench = backupBench({ "assets/a": "a" });
    const old = ["20200101T000000Z.zip", "20210101T000000Z-b.zip", "20220101T000000Z-a.zip"];
    const foreign = [
      "notes.zip",
      "20200101T000000Z.zip.bak",
      "20209901T000000Z.zip",
      "2020.zip",
      "x-20200101T000000Z.zip",
    ];
    for (const name of [...old, ...foreign]) bench.archive(new Uint8Array(3), name);
    const backup = await createBackup(bench.engine, { include: ["assets"], max_backups: 2 });
    expect(backup.removed).toEqual(old.slice(0, 2));
    expect(readdirSync(join(bench.root, "backups/cloud")).toSorted()).toEqual(
      [old[2] ?? "", backup.name, ...foreign].toSorted(),
    );
  });

  test("neither removes nor counts a folder, a link or a pipe with the name of an archive", async () => {
    const bench = backupBench({ "assets/a": "a", "backups/cloud/20200101T000000Z.zip/inside": "x" });
    const folder = join(bench.root, "backups/cloud");
    mkdirSync(join(folder, "20200102T000000Z.zip"));
    symlinkSync("/dev/null", join(folder, "20990101T000000Z.zip"));
    expect(Bun.spawnSync(["mkfifo", join(folder, "20990102T000000Z.zip")]).exitCode).toBe(0);
    bench.archive(new Uint8Array(3), "20210101T000000Z.zip");
    const foreign = readdirSync(folder).filter((name) => name !== "20210101T000000Z.zip");
    const first = await createBackup(bench.engine, { max_backups: 2 });
    expect(first.removed).toEqual([]);
    expect((await createBackup(bench.engine, { max_backups: 2 })).removed).toEqual(["20210101T000000Z.zip"]);
    expect(readdirSync(folder)).toEqual(expect.arrayContaining([...foreign, first.name]));
  });

  test("that cannot remove an archive says that the new one stands, and removes the others", async () => {
    const bench = backupBench({ "assets/a": "a" });
    for (let i = 1; i <= 3; i++) bench.archive(new Uint8Array(3), `2020010${i}T000000Z.zip`);
    const files = {
      ...bench.engine.files,
      remove: async (path: string) => {
        if (path.endsWith("20200101T000000Z.zip")) throw systemFault("write_failed", "EPERM");
        return await bench.engine.files.remove(path);
      },
    };
    const error = await createBackup({ ...bench.engine, files }, { max_backups: 1 }).catch((thrown: unknown) => thrown);
    const { backups } = await listBackups(bench.engine);
    expect(backups.map(({ name }) => name)).toEqual([expect.any(String), "20200101T000000Z.zip"]);
    expect(error).toMatchObject({ code: "write_failed", message: expect.stringContaining(backups[0]?.name ?? "?") });
    expect(bench.events).toMatchObject([{ type: "backup.create", name: backups[0]?.name, removed: 2 }]);
  });

  test("keeps what is there when something could not be read: an older archive may be the only one that has it", async () => {
    const bench = backupBench({ "assets/a": "a", "config/b": "b" });
    for (let i = 1; i <= 3; i++) bench.archive(new Uint8Array(3), `2020010${i}T000000Z.zip`);
    const { tree } = bench.engine;
    let refused = 0;
    const unreadable: TreeReader = {
      ...tree,
      list: (folder) => {
        if (!folder.endsWith("/assets")) return tree.list(folder);
        refused++;
        throw systemFault("file_unreadable", "EACCES");
      },
    };
    const part = await createBackup({ ...bench.engine, tree: unreadable }, { max_backups: 1 });
    expect(part).toMatchObject({ files: 1, removed: [], skipped: [{ path: "assets", reason: "unreadable" }] });
    expect(refused).toBe(1);
    expect((await createBackup(bench.engine, { max_backups: 1 })).removed).toHaveLength(4);
  });

  test("keeps five without being told", async () => {
    const bench = backupBench({ "assets/a": "a" });
    for (let i = 1; i <= 6; i++) bench.archive(new Uint8Array(3), `2020010${i}T000000Z.zip`);
    expect((await createBackup(bench.engine, {})).removed).toEqual(["20200101T000000Z.zip", "20200102T000000Z.zip"]);
  });

  test("never removes the new archive, though the clock was set back", async () => {
    const clock = clockAt("2025-01-01T00:00:00Z");
    const bench = backupBench({ "assets/a": "a" }, { engine: { clock } });
    for (let i = 1; i <= 3; i++) bench.archive(new Uint8Array(3), `2030010${i}T000000Z.zip`);
    const backup = await createBackup(bench.engine, { max_backups: 2 });
    expect(backup.removed).toEqual(["20300101T000000Z.zip", "20300102T000000Z.zip"]);
    expect((await listBackups(bench.engine)).backups.map(({ name }) => name)).toContain(backup.name);
  });

  test("a backup that fails removes nothing and leaves nothing", async () => {
    const bench = backupBench({ "assets/a": "a" });
    bench.archive(new Uint8Array(3), "20200101T000000Z.zip");
    const before = filesBelow(join(bench.root, "backups"));
    let made = 0;
    const files = { ...bench.engine.files };
    const failing = {
      ...files,
      createAtomic: async (...args: Parameters<typeof files.createAtomic>) => {
        const writer = await files.createAtomic(...args);
        made++;
        return {
          write: async () => {
            throw systemFault("disk_full", "ENOSPC");
          },
          writeAt: writer.writeAt.bind(writer),
          truncate: writer.truncate.bind(writer),
          commit: () => writer.commit(),
          abort: () => writer.abort(),
        };
      },
    };
    const engine = { ...bench.engine, files: failing };
    expect(await codeOf(createBackup(engine, { include: ["assets"], max_backups: 1 }))).toBe("disk_full");
    expect(made).toBe(1);
    expect(filesBelow(join(bench.root, "backups"))).toEqual(before);
  });

  test("include paths with nothing at them make no archive and remove none", async () => {
    const bench = backupBench({ "assets/a": "a" });
    bench.archive(new Uint8Array(3), "20200101T000000Z.zip");
    expect(await codeOf(createBackup(bench.engine, { include: ["asets"], max_backups: 1 }))).toBe("backup_empty");
    expect(filesBelow(join(bench.root, "backups"))).toEqual(["cloud/20200101T000000Z.zip"]);
  });

  test("temp files of killed creates go, other hidden files stay", async () => {
    const bench = backupBench({ "assets/a": "a" });
    const stale = ".20200101T000000Z-x.zip.0123456789abcdef.tmp";
    const other = ".notes.zip.0123456789abcdef.tmp";
    for (const name of [stale, other]) bench.archive(new Uint8Array(3), name);
    expect((await listBackups(bench.engine)).backups).toEqual([]);
    const { name } = await createBackup(bench.engine, {});
    expect(filesBelow(join(bench.root, "backups"))).toEqual([`cloud/${other}`, `cloud/${name}`]);
  });
});

describe("names", () => {
  test("security 24: two backups within one second get two names in the order of time", async () => {
    const clock = clockAt("2025-12-15T08:05:30.250Z");
    const bench = backupBench({ "assets/a": "a" }, { engine: { clock } });
    const names: string[] = [];
    for (const label of ["b", "a", undefined]) names.push((await createBackup(bench.engine, { label })).name);
    expect(names).toEqual(["20251215T080530Z-b.zip", "20251215T080531Z-a.zip", "20251215T080532Z.zip"]);
    expect(clock.slept).toBe(1_750);
  });

  test("labels that could be paths, or end oddly, are refused", async () => {
    const bench = backupBench({ "assets/a": "a" });
    for (const label of ["", "../x", "a/b", "a\\b", ".hidden", "-x", "a b", "ü", "a.", "x".repeat(65), "a\n", "a\0"]) {
      expect(await codeOf(createBackup(bench.engine, { label }))).toBe("backup_label");
    }
    expect(filesBelow(bench.root)).toEqual(["assets/a"]);
  });

  test("the list is newest first and says what the names say", async () => {
    const bench = backupBench();
    for (const name of ["20200101T000000Z.zip", "20251215T080530Z-pre-release.zip"])
      bench.archive(new Uint8Array(3), name);
    expect((await listBackups(bench.engine)).backups).toEqual([
      {
        name: "20251215T080530Z-pre-release.zip",
        path: "backups/cloud/20251215T080530Z-pre-release.zip",
        bytes: 3,
        created_at: "2025-12-15T08:05:30+00:00",
        label: "pre-release",
      },
      {
        name: "20200101T000000Z.zip",
        path: "backups/cloud/20200101T000000Z.zip",
        bytes: 3,
        created_at: "2020-01-01T00:00:00+00:00",
        label: null,
      },
    ]);
  });

  test("a workspace without backups has an empty list", async () => {
    expect(await listBackups(backupBench().engine)).toEqual({ backups: [] });
  });
});

test("a backup that is cancelled leaves nothing", async () => {
  const bench = backupBench({ "assets/a": noise(9_000_000), "assets/b": "text ".repeat(2_000_000) });
  const controller = new AbortController();
  const { tree } = bench.engine;
  const cancelling: TreeReader = {
    ...tree,
    open: (native, options) => {
      if (native.endsWith("assets/b")) controller.abort();
      return tree.open(native, options);
    },
  };
  const creating = createBackup({ ...bench.engine, tree: cancelling }, {}, { signal: controller.signal });
  expect(await codeOf(creating)).toBe("aborted");
  expect(controller.signal.aborted).toBe(true);
  expect(filesBelow(join(bench.root, "backups"))).toEqual([]);
});

test("progress ends with every file and byte", async () => {
  const bench = backupBench({ "assets/a": "123", "assets/b": "45" });
  const told: unknown[] = [];
  await createBackup(bench.engine, {}, { onProgress: (progress) => told.push(progress) });
  expect(told.at(-1)).toEqual({ phase: "archive", filesDone: 2, filesTotal: 2, bytesDone: 5 });
});

test("five creates at once all get an archive of their own", async () => {
  const bench = backupBench({ "assets/a": "a" });
  const created = await Promise.all([1, 2, 3, 4, 5].map(() => createBackup(bench.engine, {})));
  expect(new Set(created.map(({ name }) => name)).size).toBe(5);
});

test("one create at a time: the second one is refused while the first goes on", async () => {
  const bench = backupBench({ "assets/a": "a" }, { engine: { lockTimeoutMs: 50 } });
  const lock = await bench.engine.files.lock(join(bench.root, "cache/cloud/locks/backup.lock"));
  try {
    expect(await codeOf(createBackup(bench.engine, {}))).toBe("backup_busy");
  } finally {
    lock.release();
  }
  expect(await codeOf(createBackup(bench.engine, {}))).toBe("no error");
});
