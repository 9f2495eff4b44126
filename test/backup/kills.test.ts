import { describe, expect, test } from "bun:test";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createBackup } from "../../src/backup/create-backup.ts";
import { listBackups } from "../../src/backup/list-backups.ts";
import { restoreBackup } from "../../src/backup/restore-backup.ts";
import { verifyBackup } from "../../src/backup/verify-backup.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { type BackupBench, backupBench, filesBelow, NAME } from "./backup-bench.ts";
import { forgeZip } from "./zip-forge.ts";

/** `bun run soak:backup` sets more. */
const KILLS = Number(process.env["BACKUP_KILLS"] ?? 6);
const PROCESS = join(import.meta.dir, "step-worker.ts");

/** Runs the process to its end. True when it was killed at its step, false when it had fewer steps. */
async function killed(...args: readonly string[]): Promise<boolean> {
  const child = Bun.spawn([process.execPath, PROCESS, ...args], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  await child.exited;
  return child.signalCode === "SIGKILL";
}

const text = (i: number) => `file ${i} `.repeat(3_000 + 137 * (i % 50));
const FIRST = "assets/0/0.txt";
const noise = crypto.getRandomValues(new Uint8Array(65_536)).toString().repeat(8);
const tree = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`assets/${i % 7}/${i}.txt`, text(i)]));

describe("a process that is killed", () => {
  test("security 24: while it creates leaves nothing that is listed, and the older archives whole", async () => {
    const bench = backupBench({ ...tree, "assets/noise": noise });
    const good = await createBackup(bench.engine, { include: ["assets"], max_backups: 2 });
    let kills = 0;
    for (let i = 0; i < KILLS; i++) {
      const before = (await listBackups(bench.engine)).backups.map(({ name }) => name);
      if (await killed("create", bench.root, String(i % 12))) kills++;
      const after = (await listBackups(bench.engine)).backups.map(({ name }) => name);
      for (const name of after) expect((await verifyBackup(bench.engine, name)).ok).toBe(true);
      // An older one goes only when a newer one is whole.
      if (before.some((name) => !after.includes(name))) expect(after).toHaveLength(2);
    }
    expect(kills).toBeGreaterThan(KILLS / 2);
    const last = await createBackup(bench.engine, { include: ["assets"], max_backups: 50 });
    expect(last.checksum).toBe(good.checksum);
    expect(readdirSync(join(bench.root, "backups/cloud")).filter((name) => name.startsWith("."))).toEqual([]);
  }, 300_000);

  test("while it restores leaves only whole files, and the next restore finishes", async () => {
    const bench: BackupBench = backupBench();
    bench.archive(forgeZip(Object.entries(tree).map(([name, data]) => ({ name, data, method: 8 }))));
    let kills = 0;
    for (let i = 0; i < KILLS; i++) {
      rmSync(join(bench.root, "assets"), { recursive: true, force: true });
      const old = i % 2 === 0 ? "" : "an old file";
      if (old !== "") bench.write(FIRST, old);
      if (await killed("restore", bench.root, NAME, String(i))) kills++;
      const present = filesBelow(bench.root).filter((path) => path.startsWith("assets/") && !path.endsWith(".tmp"));
      for (const path of present) expect([tree[path], old]).toContain(bench.read(path));
      const { restored } = await restoreBackup(bench.engine, { name: NAME, replace_existing: true });
      expect(restored.length).toBe(300);
      expect(filesBelow(join(bench.root, "assets"))).toHaveLength(300);
    }
    expect(kills).toBe(KILLS);
  }, 300_000);
});

test("security 16: a folder that another process swaps for a symlink all the time lets nothing out", async () => {
  const outside = tempFolder();
  const bench = backupBench();
  const files = Object.entries(tree).map(([name, data]) => ({
    name: name.replace("assets/", "assets/deep/"),
    data,
    method: 8,
  }));
  bench.archive(forgeZip(files));
  const racer = Bun.spawn([process.execPath, PROCESS, "swap", bench.root, "assets", outside], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
  });
  try {
    const reader: ReadableStreamDefaultReader<Uint8Array> = racer.stdout.getReader();
    await reader.read();
    let met = 0;
    // Until the two have met: on a busy machine they may take turns for long.
    for (let i = 0; i < 3 * KILLS || (met === 0 && i < 2_000); i++) {
      const outcome: unknown = await restoreBackup(bench.engine, { name: NAME, replace_existing: true }).catch(
        (error: unknown) => error,
      );
      if (outcome instanceof Error) met++;
      expect(filesBelow(outside)).toEqual([]);
    }
    expect(met).toBeGreaterThan(0);
  } finally {
    racer.kill("SIGKILL");
    await racer.exited;
  }
}, 120_000);
