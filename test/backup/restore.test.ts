import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { $ } from "bun";
import { createBackup } from "../../src/backup/create-backup.ts";
import { restoreBackup } from "../../src/backup/restore-backup.ts";
import { verifyBackup } from "../../src/backup/verify-backup.ts";
import { SyncError } from "../../src/core/errors.ts";
import type { NewFile, TreeWriter } from "../../src/platform/contract.ts";
import { systemFault } from "../support/faulty-files.ts";
import { openNodeTreeWriter } from "../../src/platform/node/node-tree-writer.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { codeOf } from "../support/workspace.ts";
import { backupBench, engineAt, filesBelow, NAME, treeOf } from "./backup-bench.ts";
import { forgeZip, little, UNIX } from "./zip-forge.ts";

const FILES = { "assets/a.txt": "archived a", "assets/b/c.txt": "archived c", "config/d.json": "archived d" };

function archived(extra: Parameters<typeof forgeZip>[0] = []): Uint8Array {
  return forgeZip([...Object.entries(FILES).map(([name, data]) => ({ name, data, method: 8 })), ...extra]);
}

describe("existing files", () => {
  test("stay as they are unless they are to be replaced", async () => {
    const bench = backupBench({ "assets/a.txt": "mine" });
    bench.archive(archived());
    const first = await restoreBackup(bench.engine, { name: NAME });
    expect(first).toEqual({
      name: NAME,
      restored: ["assets/b/c.txt", "config/d.json"],
      skipped: ["assets/a.txt"],
      skipped_reasons: { exists: 1 },
    });
    expect(bench.read("assets/a.txt")).toBe("mine");
    const second = await restoreBackup(bench.engine, { name: NAME, replace_existing: true });
    expect(second.restored).toContain("assets/a.txt");
    expect(bench.read("assets/a.txt")).toBe("archived a");
    expect(bench.events.map(({ type }) => type)).toEqual(["backup.restore", "backup.restore"]);
  });

  test("with the archived content and time are skipped as equal; with the same size and time and other content they are replaced", async () => {
    const bench = backupBench({ "assets/a": "same", "assets/b": "abcd" });
    const { name } = await createBackup(bench.engine, {});
    const { atimeMs, mtimeMs } = statSync(join(bench.root, "assets/b"));
    bench.write("assets/b", "ABCD");
    utimesSync(join(bench.root, "assets/b"), atimeMs / 1_000, mtimeMs / 1_000);
    const result = await restoreBackup(bench.engine, { name, replace_existing: true });
    expect(result).toMatchObject({ restored: ["assets/b"], skipped: ["assets/a"], skipped_reasons: { equal: 1 } });
    expect(bench.read("assets/b")).toBe("abcd");
  });

  test("that cannot be read are replaced like others, though they look equal", async () => {
    const bench = backupBench(FILES);
    const { name } = await createBackup(bench.engine, {});
    let opened = 0;
    const openTreeWriter = (root: string): TreeWriter => {
      const writer = bench.engine.openTreeWriter(root);
      return {
        lstat: (path) => writer.lstat(path),
        makeFolder: (path) => writer.makeFolder(path),
        create: (path, options) => writer.create(path, options),
        close: () => writer.close(),
        open: (path) => {
          opened++;
          if (path === "assets/a.txt") throw systemFault("file_unreadable", "EACCES");
          return writer.open(path);
        },
      };
    };
    const result = await restoreBackup({ ...bench.engine, openTreeWriter }, { name, replace_existing: true });
    expect(result).toMatchObject({ restored: ["assets/a.txt"], skipped_reasons: { equal: 2 } });
    expect(opened).toBe(3);
  });

  test("a symlink in a file's place is itself replaced, never written through", async () => {
    const outside = join(tempFolder(), "outside.txt");
    writeFileSync(outside, "outside");
    const bench = backupBench({ "assets/x": "" });
    symlinkSync(outside, join(bench.root, "assets/a.txt"));
    bench.archive(archived());
    expect((await restoreBackup(bench.engine, { name: NAME })).skipped).toEqual(["assets/a.txt"]);
    await restoreBackup(bench.engine, { name: NAME, replace_existing: true });
    expect(readFileSync(outside, "utf8")).toBe("outside");
    expect(bench.read("assets/a.txt")).toBe("archived a");
  });
});

describe("nothing is written where", () => {
  test("a folder on the way is a symlink", async () => {
    const outside = tempFolder();
    const bench = backupBench({ "config/x": "x" });
    symlinkSync(outside, join(bench.root, "assets"));
    bench.archive(archived());
    expect(await codeOf(restoreBackup(bench.engine, { name: NAME }))).toBe("restore_conflict");
    expect(filesBelow(outside)).toEqual([]);
    expect(filesBelow(join(bench.root, "config"))).toEqual(["x"]);
  });

  test("a file stands where a folder is needed", async () => {
    const bench = backupBench({ "assets/b": "a file" });
    bench.archive(archived());
    const before = treeOf(bench.root);
    expect(await codeOf(restoreBackup(bench.engine, { name: NAME, replace_existing: true }))).toBe("restore_conflict");
    expect(treeOf(bench.root)).toEqual(before);
  });

  test("a folder stands where a file is to be", async () => {
    const bench = backupBench({ "assets/a.txt/x": "x" });
    bench.archive(archived());
    const before = treeOf(bench.root);
    expect(await codeOf(restoreBackup(bench.engine, { name: NAME, replace_existing: true }))).toBe("restore_conflict");
    expect(treeOf(bench.root)).toEqual(before);
  });
});

test("the vault, environment files and own folders are never restored, and told", async () => {
  const bench = backupBench({ "config/comfyvn.secrets.json": "vault" });
  const names = [
    "config/comfyvn.secrets.json",
    "config/COMFYVN.SECRETS.json.bak",
    "assets/.env",
    "logs/server.log",
    "cache/cloud/manifests/s3/default.json",
    "backups/cloud/20200101T000000Z.zip",
  ];
  bench.archive(archived(names.map((name) => ({ name, data: "evil" }))));
  const result = await restoreBackup(bench.engine, { name: NAME, replace_existing: true });
  expect(result.skipped.toSorted()).toEqual(names.toSorted());
  expect(result.skipped_reasons).toEqual({ protected: names.length });
  expect(bench.read("config/comfyvn.secrets.json")).toBe("vault");
  expect(result.restored).toEqual(Object.keys(FILES));
});

test("entries about the archive are neither restored nor told", async () => {
  const bench = backupBench();
  bench.archive(archived([{ name: "__meta__/other.txt", data: "about" }]));
  expect((await restoreBackup(bench.engine, { name: NAME })).skipped).toEqual([]);
  expect(filesBelow(bench.root).filter((path) => path.includes("__meta__"))).toEqual([]);
});

test("a part is restored by its paths", async () => {
  const bench = backupBench();
  bench.archive(archived());
  const result = await restoreBackup(bench.engine, { name: NAME, paths: ["./assets/b/", "config"] });
  expect(result.restored).toEqual(["assets/b/c.txt", "config/d.json"]);
  expect(await codeOf(restoreBackup(bench.engine, { name: NAME, paths: ["../x"] }))).toBe("bad_path");
});

test("a path that is not in the archive is told, not passed over", async () => {
  const bench = backupBench();
  bench.archive(archived());
  const paths = ["asets", "assets/b", "config/d.json/x", "."];
  const { restored, skipped, skipped_reasons } = await restoreBackup(bench.engine, { name: NAME, paths });
  expect(restored).toEqual(Object.keys(FILES));
  expect(skipped).toEqual(["asets", "config/d.json/x"]);
  expect(skipped_reasons).toEqual({ missing: 2 });
});

test("permissions come back without set-user bits, times from the Unix field", async () => {
  const bench = backupBench();
  const time = little([2, 0x5455], [2, 5]);
  const extra = Buffer.concat([time, Buffer.from([1]), little([4, 1_700_000_000])]);
  bench.archive(
    forgeZip([
      { name: "assets/run", data: "#!", madeBy: UNIX, attributes: 0o106755 * 65_536, extra },
      { name: "assets/none", data: "x", madeBy: UNIX, attributes: 0o100000 * 65_536 },
      { name: "assets/empty/", data: "", madeBy: UNIX, attributes: 0o040700 * 65_536 },
    ]),
  );
  await restoreBackup(bench.engine, { name: NAME });
  const { mode, mtimeMs } = statSync(join(bench.root, "assets/run"));
  expect((mode & 0o7777).toString(8)).toBe("755");
  expect(mtimeMs).toBe(1_700_000_000_000);
  expect((statSync(join(bench.root, "assets/none")).mode & 0o777).toString(8)).toBe("644");
  expect(statSync(join(bench.root, "assets/empty")).isDirectory()).toBe(true);
});

test("permissions come back whole, whatever the umask of who restores", async () => {
  const modes = [0o664, 0o666, 0o775, 0o640, 0o604, 0o600];
  const bench = backupBench();
  for (const mode of modes) {
    bench.write(`assets/${mode}`, "x");
    bench.write(`assets/${mode}-too`, "y");
    for (const suffix of ["", "-too"]) chmodSync(join(bench.root, `assets/${mode}${suffix}`), mode);
  }
  const { name } = await createBackup(bench.engine, {});
  for (const mode of modes) rmSync(join(bench.root, `assets/${mode}`));
  const umask = process.umask(0o027);
  try {
    await restoreBackup(bench.engine, { name });
    for (const mode of modes) bench.write(`assets/${mode}-too`, "changed");
    await restoreBackup(bench.engine, { name, replace_existing: true });
  } finally {
    process.umask(umask);
  }
  for (const mode of modes) {
    expect(statSync(join(bench.root, `assets/${mode}`)).mode & 0o777).toBe(mode);
    expect(statSync(join(bench.root, `assets/${mode}-too`)).mode & 0o777).toBe(mode);
  }
});

test("a file older than 1970 does not come back as one of today", async () => {
  const bench = backupBench({ "assets/old": "scanned" });
  const file = join(bench.root, "assets/old");
  utimesSync(file, "-315619200.25", "-315619200.25");
  const { name } = await createBackup(bench.engine, {});
  rmSync(file);
  await restoreBackup(bench.engine, { name });
  expect(statSync(file, { bigint: true }).mtimeNs).toBe(-315_619_200_250_000_000n);
});

describe("the embedded manifest", () => {
  const manifest = (sha256: string) =>
    JSON.stringify({
      created_at: "2025-12-15T08:05:30+00:00",
      paths: ["assets"],
      exclude: [],
      checksum: "anything",
      manifest: {
        name: "x",
        root: "/srv/studio",
        created_at: "2025-12-15T08:05:30+00:00",
        entries: { "assets/a": { path: "assets/a", size: 1, mtime: 1_731_912_306, sha256 } },
      },
    });
  const python = (sha256: string) =>
    forgeZip([
      { name: "assets/a", data: "1", method: 8 },
      { name: "__meta__/cloud_sync/manifest.json", data: manifest(sha256), method: 8 },
    ]);

  test("of the Python studio's archives is understood", async () => {
    const bench = backupBench();
    bench.archive(python("6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"));
    expect((await restoreBackup(bench.engine, { name: NAME })).restored).toEqual(["assets/a"]);
    expect(statSync(join(bench.root, "assets/a")).mtimeMs).toBe(1_731_912_306_000);
  });

  test("that names another content keeps the file out", async () => {
    const bench = backupBench({ "assets/x": "x" });
    bench.archive(python("0".repeat(64)));
    const before = treeOf(bench.root);
    expect(await codeOf(restoreBackup(bench.engine, { name: NAME }))).toBe("archive_invalid");
    expect(treeOf(bench.root)).toEqual(before);
    expect((await verifyBackup(bench.engine, NAME)).problems).toMatchObject([{ path: "assets/a" }, { path: null }]);
  });

  test("that is no manifest makes the archive invalid", async () => {
    const bench = backupBench();
    bench.archive(forgeZip([{ name: "__meta__/cloud_sync/manifest.json", data: "{}" }]));
    expect(await codeOf(restoreBackup(bench.engine, { name: NAME }))).toBe("archive_invalid");
  });

  test("that names a file which is not there lets restore tell of it", async () => {
    const bench = backupBench();
    const entry = (path: string) => ({ [path]: { path, size: 1, mtime: 1, sha256: "0".repeat(64) } });
    const document = { manifest: { entries: { ...entry("data/gone"), ...entry("assets/gone") } } };
    const data = JSON.stringify(document);
    bench.archive(archived([{ name: "__meta__/cloud_sync/manifest.json", data }]));
    const all = await restoreBackup(bench.engine, { name: NAME });
    expect(all).toMatchObject({ skipped: ["assets/gone", "data/gone"], skipped_reasons: { missing: 2 } });
    const part = await restoreBackup(bench.engine, { name: NAME, paths: ["data"] });
    expect(part).toMatchObject({ restored: [], skipped: ["data/gone"], skipped_reasons: { missing: 1 } });
  });

  test("tells verify what is missing and what is extra", async () => {
    const bench = backupBench();
    const sha = "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b";
    bench.archive(
      forgeZip([
        { name: "assets/b", data: "1" },
        { name: "__meta__/cloud_sync/manifest.json", data: manifest(sha), method: 8 },
      ]),
    );
    expect(await verifyBackup(bench.engine, NAME)).toMatchObject({
      ok: false,
      missing: ["assets/a"],
      extra: ["assets/b"],
    });
  });
});

describe("security 20: a restore that fails on the way", () => {
  /** Fails what `fails` says for files of that path. */
  function failing(root: string, fails: (path: string, file: NewFile) => Partial<NewFile>): (r: string) => TreeWriter {
    return () => {
      const writer = engineAt(root).openTreeWriter(root);
      return {
        lstat: (path) => writer.lstat(path),
        makeFolder: (path) => writer.makeFolder(path),
        open: (path) => writer.open(path),
        close: () => writer.close(),
        create: (path, options) => {
          const file = writer.create(path, options);
          const plain: NewFile = {
            write: (chunk) => file.write(chunk),
            flush: () => file.flush(),
            commit: () => file.commit(),
            abort: () => file.abort(),
          };
          return { ...plain, ...fails(path, file) };
        },
      };
    };
  }

  test("names what was restored, leaves no half file, and is finished by the same call", async () => {
    const bench = backupBench();
    bench.archive(archived());
    let fired = 0;
    const openTreeWriter = failing(bench.root, (path, file) => {
      if (path !== "assets/b/c.txt") return {};
      return {
        write: (chunk) => {
          file.write(chunk.subarray(0, 3));
          fired++;
          throw systemFault("disk_full", "ENOSPC");
        },
      };
    });
    const error: unknown = await restoreBackup({ ...bench.engine, openTreeWriter }, { name: NAME }).catch(
      (thrown: unknown) => thrown,
    );
    expect(fired).toBe(1);
    expect(error).toBeInstanceOf(SyncError);
    expect(error).toMatchObject({ code: "disk_full", details: { restored: ["assets/a.txt"] } });
    expect(filesBelow(bench.root).filter((path) => !/^(backups|cache)\//.test(path))).toEqual(["assets/a.txt"]);
    const again = await restoreBackup(bench.engine, { name: NAME });
    expect(again).toMatchObject({ restored: ["assets/b/c.txt", "config/d.json"], skipped: ["assets/a.txt"] });
  });

  test("by cancelling says so and is finished by the same call", async () => {
    const bench = backupBench();
    bench.archive(archived());
    const controller = new AbortController();
    const openTreeWriter = failing(bench.root, (_path, file) => ({
      commit: () => {
        file.commit();
        controller.abort();
      },
    }));
    const restoring = restoreBackup({ ...bench.engine, openTreeWriter }, { name: NAME }, { signal: controller.signal });
    const error: unknown = await restoring.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "aborted", details: { restored: ["assets/a.txt"] } });
    expect((await restoreBackup(bench.engine, { name: NAME })).restored).toEqual(["assets/b/c.txt", "config/d.json"]);
  });

  test("on a disk that is too small is refused before the first write", async () => {
    const bench = backupBench();
    bench.archive(archived());
    const files = { ...bench.engine.files, freeBytes: async () => 5 };
    const before = filesBelow(bench.root);
    expect(await codeOf(restoreBackup({ ...bench.engine, files }, { name: NAME }))).toBe("disk_full");
    expect(filesBelow(bench.root)).toEqual(before);
  });

  test("asks the disk that the files go to: a folder of the workspace may be a mount", async () => {
    const bench = backupBench({ "assets/kept": "", "data/kept": "" });
    bench.archive(archived([{ name: "data/new/deep/x", data: "x".repeat(50) }]));
    const { files } = bench.engine;
    const asked: string[] = [];
    const free: Record<string, number> = { assets: 1_000, data: 49, [bench.root]: 14 };
    const freeBytes = async (path: string) => {
      asked.push(path);
      return free[path.slice(bench.root.length + 1) || bench.root];
    };
    // As if each were a file system of its own.
    const devices: Record<string, bigint> = { assets: -1n, data: -2n };
    const openTreeWriter = (root: string): TreeWriter => {
      const writer = bench.engine.openTreeWriter(root);
      return {
        lstat: (path) => {
          const stat = writer.lstat(path);
          return stat && { ...stat, device: devices[path] ?? stat.device };
        },
        makeFolder: (path) => writer.makeFolder(path),
        open: (path) => writer.open(path),
        create: (path, options) => writer.create(path, options),
        close: () => writer.close(),
      };
    };
    const engine = { ...bench.engine, files: { ...files, freeBytes }, openTreeWriter };
    const refused = restoreBackup(engine, { name: NAME });
    await expect(refused).rejects.toThrow("needs 50 bytes and the disk of data has 49");
    expect(await codeOf(refused)).toBe("disk_full");
    free["data"] = 50;
    expect((await restoreBackup(engine, { name: NAME })).restored).toHaveLength(4);
    expect(new Set(asked)).toEqual(new Set([bench.root, join(bench.root, "assets"), join(bench.root, "data")]));
  });

  test("on a disk that others fill meanwhile says disk_full and leaves no half file", async () => {
    const root = tempFolder();
    const mounted = await $`mount -t tmpfs -o size=256k tmpfs ${root}`.nothrow().quiet();
    if (mounted.exitCode !== 0) {
      console.warn("not run: mounting a small tmpfs needs root");
      return;
    }
    try {
      const bench = backupBench({}, { root });
      const data = Buffer.alloc(150_000, "text that packs well ");
      bench.archive(forgeZip(["assets/a", "assets/b"].map((name) => ({ name, data, method: 8 }))));
      const files = { ...bench.engine.files, freeBytes: async () => undefined };
      const error: unknown = await restoreBackup({ ...bench.engine, files }, { name: NAME }).catch((e: unknown) => e);
      // Both are inflated at once: either may come first.
      const present = filesBelow(join(root, "assets")).map((name) => `assets/${name}`);
      expect(present).toHaveLength(1);
      expect(error).toMatchObject({ code: "disk_full", details: { restored: present } });
      expect(readFileSync(join(root, present[0] ?? "")).equals(data)).toBe(true);
    } finally {
      await $`umount ${root}`.nothrow().quiet();
    }
  });
});

test("a temp file that a killed restore left does not stop the next one", async () => {
  const bench = backupBench();
  bench.archive(archived());
  const openTreeWriter = (root: string) => openNodeTreeWriter(root, undefined);
  const writer = openTreeWriter(bench.root);
  writer.create("assets/a.txt", { mode: 0o644, mtime: 0 }).write(new Uint8Array(3));
  writer.close();
  expect(filesBelow(join(bench.root, "assets"))).toHaveLength(1);
  await restoreBackup({ ...bench.engine, openTreeWriter }, { name: NAME });
  expect(filesBelow(join(bench.root, "assets"))).toEqual(["a.txt", "b/c.txt"]);
});

test("security 22: names that could be paths are refused before any path is made of them", async () => {
  const bench = backupBench({ "x.zip": archived(), "backups/x.zip": archived() });
  const names = [
    "../x.zip",
    "../../x.zip",
    join(bench.root, "x.zip"),
    "%2e%2e/x.zip",
    "20251215T080530Z-../x.zip",
    "20251215T080530Z-a/b.zip",
    "20251215T080530Z-a\\b.zip",
    "20251215T080530Z.zip\0",
    "20251215T080530Z.zip\n",
    "",
    ".",
    "x..zip",
    ".zip",
  ];
  for (const name of names) {
    expect(await codeOf(restoreBackup(bench.engine, { name }))).toBe("backup_name");
    expect(await codeOf(verifyBackup(bench.engine, name))).toBe("backup_name");
  }
  expect(await codeOf(restoreBackup(bench.engine, { name: NAME }))).toBe("backup_missing");
});

test("a plain name that no backup has is missing, also where a file of somebody else has it", async () => {
  const bench = backupBench({ "backups/cloud/mine.zip": archived() });
  for (const name of ["mine.zip", "nothing-like-it.v2.zip", "20259915T080530Z.zip"]) {
    expect(await codeOf(restoreBackup(bench.engine, { name }))).toBe("backup_missing");
    expect(await codeOf(verifyBackup(bench.engine, name))).toBe("backup_missing");
  }
});

test("more folders than are held open at once are all restored", async () => {
  const bench = backupBench();
  const names = Array.from({ length: 400 }, (_, i) => `assets/${i % 20}/${i}/${i}/file`);
  bench.archive(forgeZip(names.map((name) => ({ name, data: name.repeat(9_000), method: 8 }))));
  expect((await restoreBackup(bench.engine, { name: NAME })).restored).toHaveLength(400);
  for (const name of names) expect(bench.read(name)).toBe(name.repeat(9_000));
});

test("a workspace that is reached through a symlink is restored into", async () => {
  const bench = backupBench();
  bench.archive(archived());
  const link = join(tempFolder(), "link");
  symlinkSync(bench.root, link);
  expect((await restoreBackup(engineAt(link), { name: NAME })).restored).toHaveLength(3);
  mkdirSync(join(bench.root, "extra"));
  expect(bench.read("assets/a.txt")).toBe("archived a");
});
