/** Backups that find nothing where earlier ones found files: what only an older archive holds is not rotated away. */
import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { createBackup } from "../../src/backup/create-backup.ts";
import { systemFault } from "../support/faulty-files.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { type BackupBench, backupBench } from "./backup-bench.ts";

/** A clock that is a second later each time a backup asks for a name. */
function steppingClock() {
  const clock = {
    ms: Date.parse("2026-01-01T00:00:00Z"),
    now: () => (clock.ms += 1_000),
    sleep: async () => undefined,
  };
  return clock;
}

/** A workspace with two archives of all that it holds. */
async function archivedTwice(): Promise<BackupBench & { readonly whole: readonly string[] }> {
  const bench = backupBench({ "assets/a": "a", "config/b": "b" }, { engine: { clock: steppingClock() } });
  const whole = [await createBackup(bench.engine, {}), await createBackup(bench.engine, {})].map(({ name }) => name);
  return { ...bench, whole };
}

/** Seven nights of two archives each. */
async function nights({ engine }: BackupBench) {
  const made = [];
  for (let night = 0; night < 7; night++) made.push(await createBackup(engine, { max_backups: 2 }));
  return made;
}

const archives = ({ root }: BackupBench) => readdirSync(join(root, "backups/cloud")).toSorted();

for (const [what, lose] of [
  ["is a link to a disk that is not mounted", (folder: string) => symlinkSync(join(folder, "..", "gone"), folder)],
  ["is a link to another disk", (folder: string) => symlinkSync(tempFolder(), folder)],
  ["is the empty folder of a disk that is not mounted", (folder: string) => mkdirSync(folder)],
  ["is not there at all", () => undefined],
] as const) {
  test(`archives that hold assets stay when assets ${what}`, async () => {
    const bench = await archivedTwice();
    const assets = join(bench.root, "assets");
    rmSync(assets, { recursive: true });
    lose(assets);
    const made = await nights(bench);
    expect(archives(bench)).toEqual([...bench.whole, made[5]?.name ?? "", made[6]?.name ?? ""]);
    expect(made.at(-1)).toMatchObject({ files: 1, kept: bench.whole });
  });
}

test("they go like any other when there are assets again", async () => {
  const bench = await archivedTwice();
  renameSync(join(bench.root, "assets"), join(bench.root, "elsewhere"));
  await nights(bench);
  renameSync(join(bench.root, "elsewhere"), join(bench.root, "assets"));
  const { name, removed, kept } = await createBackup(bench.engine, { max_backups: 1 });
  expect(archives(bench)).toEqual([name]);
  expect([removed.length, kept]).toEqual([4, []]);
});

test("an archive that holds a file which is a link by now stays", async () => {
  const bench = await archivedTwice();
  bench.write("assets/z", "z");
  rmSync(join(bench.root, "assets/a"));
  symlinkSync("z", join(bench.root, "assets/a"));
  const { removed, kept } = await createBackup(bench.engine, { max_backups: 1 });
  expect([removed, kept]).toEqual([[], bench.whole]);
});

test("a place at which no archive ever had a file holds nothing back", async () => {
  const bench = await archivedTwice();
  symlinkSync(tempFolder(), join(bench.root, "data"));
  symlinkSync("b", join(bench.root, "config/link"));
  const { removed, kept } = await createBackup(bench.engine, { max_backups: 1 });
  expect([removed, kept]).toEqual([bench.whole, []]);
});

test("nor does a folder that the request is not about, or a file that was deleted", async () => {
  const bench = await archivedTwice();
  bench.write("config/c", "c");
  rmSync(join(bench.root, "config/b"));
  const { removed } = await createBackup(bench.engine, { include: ["config"], max_backups: 1 });
  expect(removed).toEqual(bench.whole);
});

test("an archive that cannot be read just now is not taken for one without those files; a damaged one is of no use", async () => {
  const bench = await archivedTwice();
  rmSync(join(bench.root, "assets"), { recursive: true });
  bench.archive(new Uint8Array(3), "20200101T000000Z.zip");
  let refused = 0;
  const files = {
    ...bench.engine.files,
    openRead: async (path: string) => {
      if (!path.endsWith(bench.whole[0] ?? "?")) return await bench.engine.files.openRead(path);
      refused++;
      throw systemFault("file_unreadable", "EIO");
    },
  };
  const { removed, kept } = await createBackup({ ...bench.engine, files }, { max_backups: 1 });
  expect(refused).toBe(1);
  expect([removed, kept]).toEqual([["20200101T000000Z.zip"], bench.whole]);
});
