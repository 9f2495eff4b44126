import { afterAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createBackup } from "../../src/backup/create-backup.ts";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import type { Thread, Threads } from "../../src/platform/contract.ts";
import { ThreadPool } from "../../src/threads/thread-pool.ts";
import { type BackupBench, backupBench } from "./backup-bench.ts";
import { entriesOf } from "./zip-reader.ts";

const { threads } = bunPlatform();
const pool = new ThreadPool(threads);
afterAll(() => pool.close());

/** Small files enough for many batches, empty ones, ones that Deflate does not help, and large ones between them. */
const tree: Readonly<Record<string, string | Uint8Array>> = Object.fromEntries([
  ...Array.from({ length: 1_500 }, (_, i) => [`assets/${i % 9}/${i}.txt`, `line ${i} `.repeat((i * 7) % 300)] as const),
  ...Array.from({ length: 60 }, (_, i) => [`assets/${i % 9}/${i}.key`, noise(1 + i * 50, i)] as const),
  ...Array.from({ length: 4 }, (_, i) => [`assets/${i * 2}/large.txt`, `${i} and more `.repeat(150_000)] as const),
]);

function noise(length: number, seed: number): Uint8Array {
  const blocks = Math.ceil(length / 32);
  const all = Array.from({ length: blocks }, (_, i) => createHash("sha256").update(`${seed} ${i}`).digest());
  return Buffer.concat(all).subarray(0, length);
}

async function archived(bench: BackupBench): Promise<Map<string, Uint8Array>> {
  const { name, files } = await createBackup(bench.engine, { include: ["assets"] });
  expect(files).toBe(Object.keys(tree).length);
  return entriesOf(readFileSync(join(bench.root, "backups/cloud", name)));
}

function expectTree(entries: ReadonlyMap<string, Uint8Array>): void {
  for (const [path, content] of Object.entries(tree)) {
    expect(Buffer.from(entries.get(path) ?? []).equals(Buffer.from(content))).toBe(true);
  }
}

test("small files that threads compress are those of the workspace, in the order that one thread gives them", async () => {
  const entries = await archived(backupBench(tree, { engine: { pool } }));
  expectTree(entries);
  expect([...entries.keys()]).toEqual([...(await archived(backupBench(tree))).keys()]);
});

test("a thread that dies leaves its small files to the first one", async () => {
  let deaths = 0;
  const start = <Sent, Received>(): Thread<Sent, Received> => {
    let lost: (error: Error) => void = () => undefined;
    return {
      listen: (_, onLost) => void (lost = onLost),
      post: () => queueMicrotask(() => (deaths++, lost(new Error("gone")))),
      keepAlive: () => undefined,
      close: () => undefined,
    };
  };
  const dying: Threads = { ...threads, start };
  expectTree(await archived(backupBench(tree, { engine: { pool: new ThreadPool(dying) } })));
  expect(deaths).toBeGreaterThan(0);
});

test("a create that is cancelled while threads compress leaves no archive", async () => {
  const bench = backupBench(tree, { engine: { pool } });
  const controller = new AbortController();
  const start = <Sent, Received>(): Thread<Sent, Received> => {
    const thread = threads.start<Sent, Received>();
    return { ...thread, post: (message) => (thread.post(message), controller.abort()) };
  };
  const watched = new ThreadPool({ ...threads, start });
  try {
    const create = createBackup(
      { ...bench.engine, pool: watched },
      { include: ["assets"] },
      { signal: controller.signal },
    );
    await expect(create).rejects.toMatchObject({ code: "aborted" });
    expect(await bench.engine.files.list(join(bench.root, "backups/cloud"))).toEqual([]);
    expect(controller.signal.aborted).toBe(true);
  } finally {
    watched.close();
  }
});
