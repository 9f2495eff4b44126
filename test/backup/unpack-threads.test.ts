import { afterAll, describe, expect, test } from "bun:test";
import { rmSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { createBackup } from "../../src/backup/create-backup.ts";
import { restoreBackup } from "../../src/backup/restore-backup.ts";
import { verifyBackup } from "../../src/backup/verify-backup.ts";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import type { Thread, Threads } from "../../src/platform/contract.ts";
import { ThreadPool } from "../../src/threads/thread-pool.ts";
import { type BackupBench, backupBench, engineAt, NAME, treeOf } from "./backup-bench.ts";
import { forgeZip } from "./zip-forge.ts";

const { threads } = bunPlatform();
const pool = new ThreadPool(threads);
afterAll(() => pool.close());

const SMALL_FILES = 2_500;
/** Enough for several batches, of small files and of some that are inflated in pieces. */
const tree = Object.fromEntries([
  ...Array.from({ length: SMALL_FILES }, (_, i) => [`assets/${i % 9}/${i}.txt`, `line ${i} `.repeat(i % 60)]),
  ...Array.from({ length: 3 }, (_, i) => [`assets/large/${i}.txt`, `${i} and more `.repeat(200_000 + i)]),
]);

/** A workspace with an archive of `tree`, the files themselves gone. */
async function emptied(): Promise<{ bench: BackupBench; name: string; before: readonly string[] }> {
  const bench = backupBench(tree, { engine: { pool } });
  // A manifest keeps times to some hundred nanoseconds: near the end of a millisecond they would show another one.
  for (const path of Object.keys(tree)) utimesSync(join(bench.root, path), 1_700_000_000, 1_700_000_000);
  const { name } = await createBackup(bench.engine, { include: ["assets"] });
  const before = treeOf(join(bench.root, "assets"));
  rmSync(join(bench.root, "assets"), { recursive: true });
  return { bench, name, before };
}

/** An archive of many files, of which `bad` have a wrong CRC. */
function damaged(bench: BackupBench, bad: readonly number[]): void {
  const entries = Array.from({ length: SMALL_FILES }, (_, i) => {
    const entry = { name: `assets/${i}`, data: `content ${i}`.repeat(9), method: 8 };
    return bad.includes(i) ? { ...entry, crc: 1 } : entry;
  });
  bench.archive(forgeZip(entries));
}

describe("threads", () => {
  test("restore what one thread restores, and verify it", async () => {
    const { bench, name, before } = await emptied();
    expect((await verifyBackup(bench.engine, name)).problems).toEqual([]);
    const { restored, skipped } = await restoreBackup(bench.engine, { name });
    expect([restored.length, skipped.length]).toEqual([SMALL_FILES + 3, 0]);
    expect(treeOf(join(bench.root, "assets"))).toEqual([...before]);
    rmSync(join(bench.root, "assets"), { recursive: true });
    expect((await restoreBackup(engineAt(bench.root), { name })).restored).toEqual([...restored]);
  });

  test("refuse an archive with one damaged file before the first write, by its first fault", async () => {
    const bench = backupBench({ "assets/0": "mine" }, { engine: { pool } });
    damaged(bench, [2_400, 1_200, 2_000]);
    const before = treeOf(bench.root);
    await expect(restoreBackup(bench.engine, { name: NAME, replace_existing: true })).rejects.toMatchObject({
      code: "archive_invalid",
      details: { entry: "assets/1200" },
    });
    expect(treeOf(bench.root)).toEqual(before);
  });

  test("tell every damaged file to a verification", async () => {
    const bench = backupBench({}, { engine: { pool } });
    damaged(bench, [3, 1_200, 2_400]);
    const { problems } = await verifyBackup(bench.engine, NAME);
    expect(new Set(problems.map(({ path }) => path))).toEqual(new Set(["assets/3", "assets/1200", "assets/2400"]));
  });

  test("have left off when a cancelled restore says so, and the same call finishes it", async () => {
    const { bench, name, before } = await emptied();
    const controller = new AbortController();
    const onProgress = ({ phase }: { readonly phase: string }) => phase === "restore" && controller.abort();
    const stopped = await restoreBackup(bench.engine, { name }, { signal: controller.signal, onProgress }).catch(
      (error: unknown) => error,
    );
    const left = treeOf(bench.root);
    await Bun.sleep(50);
    expect(treeOf(bench.root)).toEqual(left);
    // With the last progress report everything may be there already.
    if (stopped instanceof Error) expect(stopped).toMatchObject({ code: "aborted" });
    await restoreBackup(bench.engine, { name });
    expect(treeOf(join(bench.root, "assets"))).toEqual([...before]);
  });

  test("that die leave their files to the first thread", async () => {
    const { bench, name, before } = await emptied();
    let asked = 0;
    const start = <Sent, Received>(): Thread<Sent, Received> => {
      asked++;
      return {
        listen: (_, onLost) => void setTimeout(() => onLost(new Error("gone")), 1),
        // What is handed over is gone with the thread.
        post: (message, transfer = []) => void structuredClone(message, { transfer: [...transfer] }),
        keepAlive: () => undefined,
        close: () => undefined,
      };
    };
    const dead: Threads = { ...threads, start };
    const engine = engineAt(bench.root, { pool: new ThreadPool(dead) });
    expect((await restoreBackup(engine, { name })).restored).toHaveLength(SMALL_FILES + 3);
    expect(asked).toBeGreaterThan(0);
    expect(treeOf(join(bench.root, "assets"))).toEqual([...before]);
  });
});
