import { describe, expect, test } from "bun:test";
import { SyncError } from "../../src/core/errors.ts";
import type { ThreadRequest, Work } from "../../src/threads/work.ts";
import { ThreadPool } from "../../src/threads/thread-pool.ts";
import { createTreeHasher } from "../../src/manifest/tree-hasher.ts";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import type { Thread, Threads } from "../../src/platform/contract.ts";
import type { ManifestEntry } from "../../src/manifest/manifest.ts";
import type { ScanResult } from "../../src/manifest/scan.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { indexedScan } from "../manifest/indexed.ts";
import { expectCode, newHasher, plant, scan, tree } from "../manifest/support.ts";

const { threads } = bunPlatform();

/** More files than one thread would be left with, some of them large. */
function bigWorkspace(): string {
  const folder = tempFolder();
  const small = Array.from({ length: 2_500 }, (_, k) => [`f${k % 7}/s${k}`, `${k}`.repeat(k % 50)]);
  const large = Array.from({ length: 5 }, (_, k) => [`f${k}/large${k}`, `${k}`.repeat(1_500_000 + k)]);
  plant(folder, Object.fromEntries([...small, ...large]));
  return folder;
}

const root = bigWorkspace();

/** All but the index, which some of these scans make. */
function entries({ manifest }: ScanResult): ManifestEntry[] {
  return [...manifest.entries.values()].filter(({ path }) => !path.startsWith("cache/"));
}

function hasherWith(pool: ThreadPool) {
  return createTreeHasher({ tree, newHasher, pool });
}

/** The real threads, counted. */
function counted(): { readonly threads: Threads; started: number; closed: number } {
  const result = {
    started: 0,
    closed: 0,
    threads: {
      ...threads,
      start<Sent, Received>(): Thread<Sent, Received> {
        result.started++;
        const thread = threads.start<Sent, Received>();
        return { ...thread, close: () => (result.closed++, thread.close()) };
      },
    },
  };
  return result;
}

describe("threads", () => {
  test("give the manifest that one thread gives, with the index and without", async () => {
    const expected = entries(await scan(root));
    const pool = new ThreadPool(threads);
    try {
      for (const run of [
        () => scan(root, { hashTree: hasherWith(pool) }),
        () => indexedScan(root, { pool }),
        () => indexedScan(root, { pool }),
        () => indexedScan(root),
        () => indexedScan(root, { pool, rehash: true }),
      ]) {
        expect(entries(await run())).toEqual(expected);
      }
    } finally {
      pool.close();
    }
  });

  test("serve two scans at once", async () => {
    const pool = new ThreadPool(threads);
    try {
      const results = await Promise.all([root, root].map((each) => scan(each, { hashTree: hasherWith(pool) })));
      expect(results.map((result) => entries(result).length)).toEqual([2_505, 2_505]);
    } finally {
      pool.close();
    }
  });

  test("are not started for a few small files", async () => {
    const few = tempFolder();
    plant(few, { a: "a", b: "b" });
    const watched = counted();
    const pool = new ThreadPool(watched.threads);
    await scan(few, { hashTree: hasherWith(pool) });
    pool.close();
    expect(watched.started).toBe(0);
  });

  test("are closed when idle", async () => {
    const watched = counted();
    let idle: (() => void) | undefined;
    const pool = new ThreadPool({
      ...watched.threads,
      afterMs: (_, run) => {
        idle = run;
        return () => (idle = undefined);
      },
    });
    await scan(root, { hashTree: hasherWith(pool) });
    expect([watched.started > 0, watched.closed]).toEqual([true, 0]);
    idle?.();
    expect(watched.closed).toBe(watched.started);
    expect(entries(await scan(root, { hashTree: hasherWith(pool) })).length).toBe(2_505);
    pool.close();
  });

  test("are closed soon after the pool, when idle then", async () => {
    const watched = counted();
    let later: (() => void) | undefined;
    const pool = new ThreadPool({ ...watched.threads, afterMs: (_, run) => ((later = run), () => undefined) });
    await scan(root, { hashTree: hasherWith(pool) });
    pool.close();
    expect([watched.started > 0, watched.closed]).toEqual([true, 0]);
    later?.();
    expect(watched.closed).toBe(watched.started);
  });

  test("stop at once when the scan is cancelled, and serve the next", async () => {
    const controller = new AbortController();
    const start = <Sent, Received>(): Thread<Sent, Received> => {
      const thread = threads.start<Sent, Received>();
      return { ...thread, post: (message) => (thread.post(message), queueMicrotask(() => controller.abort())) };
    };
    const pool = new ThreadPool({ ...threads, start });
    try {
      const hashTree = hasherWith(pool);
      await expectCode(() => scan(root, { hashTree, signal: controller.signal }), "aborted");
      expect(entries(await scan(root, { hashTree })).length).toBe(2_505);
    } finally {
      pool.close();
    }
  });
});

test("an error that ends work in a thread is the cause of what is thrown here, and not told to the user", async () => {
  const pool = new ThreadPool(threads);
  try {
    const nobodys: Work<undefined, number, number> = { name: "juggling" };
    const thrown: unknown = await pool
      .run(nobodys, undefined, [1], { onBytes: () => undefined })
      .catch((e: unknown) => e);
    if (!(thrown instanceof SyncError) || !(thrown.cause instanceof Error))
      throw new Error("no cause", { cause: thrown });
    expect(thrown.code).toBe("internal");
    expect(thrown.message).not.toContain("juggling");
    expect(thrown.cause.message).toBe("no such work: juggling");
    expect(thrown.cause.stack).toContain("thread-service.ts");
  } finally {
    pool.close();
  }
});

test("an error in a thread ends the scan, whatever the scanning thread is at: no file is left out in silence", async () => {
  const start = <Sent, Received>(): Thread<Sent, Received> => {
    let hear: (message: Received) => void = () => undefined;
    return {
      listen: (onMessage) => (hear = onMessage),
      // At once, while the scanning thread does a folder itself.
      post: (message) => {
        const { id } = message as ThreadRequest;
        hear({ id, fault: "internal", cause: { message: "scripted", stack: undefined } } as Received);
      },
      keepAlive: () => undefined,
      close: () => undefined,
    };
  };
  const pool = new ThreadPool({ ...threads, start });
  try {
    await expectCode(() => scan(root, { hashTree: hasherWith(pool) }), "internal");
  } finally {
    pool.close();
  }
});

describe("a scan ends as it would without threads where they", () => {
  const dead = <Sent, Received>(die: (onLost: (error: Error) => void) => void): Thread<Sent, Received> => {
    return {
      listen: (_, onLost) => die(onLost),
      post: () => undefined,
      keepAlive: () => undefined,
      close: () => undefined,
    };
  };

  test.each<[string, Threads["start"]]>([
    [
      "cannot be started",
      () => {
        throw new Error("no threads here");
      },
    ],
    ["die before they say anything", () => dead((onLost) => setTimeout(() => onLost(new Error("gone")), 1))],
  ])("%s", async (_, start) => {
    let asked = 0;
    const pool = new ThreadPool({ ...threads, start: () => (asked++, start()) });
    const result = await scan(root, { hashTree: hasherWith(pool) });
    expect(asked).toBeGreaterThan(0);
    expect(entries(result)).toEqual(entries(await scan(root)));
  });

  test("are closed while they work", async () => {
    const pool = new ThreadPool(threads);
    const hashTree = hasherWith(pool);
    setTimeout(() => pool.close(), 10);
    expect(entries(await scan(root, { hashTree })).length).toBe(2_505);
    pool.close();
  });
});
