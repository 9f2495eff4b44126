import { describe, expect, test } from "bun:test";
import type { Clock } from "../../src/core/clock.ts";
import { SyncError } from "../../src/core/errors.ts";
import { newPortableHasher } from "../../src/core/hash.ts";
import type { Provider } from "../../src/providers/contract.ts";
import { openMemoryProvider } from "../../src/providers/memory/memory-provider.ts";
import { MemoryStore } from "../../src/providers/memory/memory-store.ts";
import { acquireLease, type LeaseTools } from "../../src/sync/lease.ts";
import { codeOf, createWorkspace } from "../support/workspace.ts";
import { ManualClock } from "../support/manual-clock.ts";

const KEY = "manifests/.default.lease.json";
const MINUTE_MS = 60_000;

function tools(store: MemoryStore, workspace: string, clock: ManualClock, capabilities = {}): LeaseTools {
  return {
    provider: openMemoryProvider({ store, capabilities }),
    key: KEY,
    holder: { name: `host-${workspace}, process 1`, workspace },
    newHasher: newPortableHasher,
    clock,
  };
}

const encoded = (record: unknown) => new TextEncoder().encode(JSON.stringify(record));

describe("a lease", () => {
  test("keeps another machine out and tells it who holds it since when", async () => {
    const store = new MemoryStore();
    const clock = new ManualClock(Date.UTC(2026, 0, 2, 3, 4, 5));
    const lease = await acquireLease(tools(store, "a", clock), undefined);
    expect(lease.exclusive).toBe(true);
    const loser = acquireLease(tools(store, "b", clock), undefined);
    expect(await codeOf(loser)).toBe("run_in_progress");
    await expect(loser).rejects.toThrow("host-a, process 1 has been writing this snapshot since 2026-01-02T03:04:05");
    await lease.release();
    await (await acquireLease(tools(store, "b", clock), undefined)).release();
    await (await acquireLease(tools(store, "a", clock), undefined)).release();
  });

  test("of a dead machine runs out and is taken over", async () => {
    const store = new MemoryStore();
    const dead = new ManualClock(0);
    await acquireLease(tools(store, "a", dead), undefined);
    const clock = new ManualClock(1 * MINUTE_MS);
    expect(await codeOf(acquireLease(tools(store, "b", clock), undefined))).toBe("run_in_progress");
    clock.advance(1 * MINUTE_MS);
    const lease = await acquireLease(tools(store, "b", clock), undefined);
    expect(lease.exclusive).toBe(true);
    await lease.release();
  });

  test("of a dead run of this very workspace is taken over at once", async () => {
    const store = new MemoryStore();
    await acquireLease(tools(store, "a", new ManualClock(0)), undefined);
    const lease = await acquireLease(tools(store, "a", new ManualClock(1)), undefined);
    expect(lease.exclusive).toBe(true);
    await lease.release();
  });

  test("is renewed for as long as the run lasts", async () => {
    const store = new MemoryStore();
    const clock = new ManualClock(0);
    const lease = await acquireLease(tools(store, "a", clock), undefined);
    for (let minute = 0; minute < 10; minute++) {
      await clock.advanceAndSettle(MINUTE_MS / 2);
    }
    lease.check();
    expect(await codeOf(acquireLease(tools(store, "b", clock), undefined))).toBe("run_in_progress");
    await lease.release();
  });

  test("that was slept through is lost: the holder writes no more and leaves the new holder's alone", async () => {
    const store = new MemoryStore();
    const asleep = new ManualClock(0);
    const lost = await acquireLease(tools(store, "a", asleep), undefined);
    const other = await acquireLease(tools(store, "b", new ManualClock(5 * MINUTE_MS)), undefined);
    await asleep.advanceAndSettle(5 * MINUTE_MS);
    expect(lost.signal.aborted).toBe(true);
    expect(() => lost.check()).toThrow("another machine took over");
    await lost.release();
    expect(store.objects.has(KEY)).toBe(true);
    await other.release();
  });

  test("on a store that ignores conditions is found out by the probe", async () => {
    const store = new MemoryStore();
    const honest = tools(store, "a", new ManualClock(0));
    const provider = {
      ...honest.provider,
      put: (...[key, source, { precondition: _, ...options }]: Parameters<typeof honest.provider.put>) =>
        honest.provider.put(key, source, options),
    };
    const lease = await acquireLease({ ...honest, provider }, undefined);
    expect(lease.exclusive).toBe(false);
    await lease.release();
    expect(store.objects.size).toBe(0);
  });

  test("that cannot be read is no reason to go on without one", async () => {
    const store = new MemoryStore();
    const clock = new ManualClock(0);
    const held = await acquireLease(tools(store, "a", clock), undefined);
    const other = tools(store, "b", clock);
    const get = async () => {
      throw new SyncError("provider_unsupported", "the object lies in an archive class");
    };
    expect(await codeOf(acquireLease({ ...other, provider: { ...other.provider, get } }, undefined))).toBe(
      "provider_unsupported",
    );
    await held.release();
  });

  test("is not left behind by a run that ends while it takes it", async () => {
    const store = new MemoryStore();
    const clock = new ManualClock(0);
    const first = tools(store, "a", clock);
    let puts = 0;
    const provider: Provider = {
      ...first.provider,
      put: async (key, source, options) => {
        if (++puts === 2) throw new SyncError("aborted", "scripted");
        return await first.provider.put(key, source, options);
      },
    };
    expect(await codeOf(acquireLease({ ...first, provider }, undefined))).toBe("aborted");
    await (await acquireLease(tools(store, "b", clock), undefined)).release();
  });

  test("a torn lease object blocks nobody", async () => {
    const store = new MemoryStore();
    store.write(KEY, new TextEncoder().encode('{"format":1,"ru'));
    const lease = await acquireLease(tools(store, "a", new ManualClock(0)), undefined);
    expect(lease.exclusive).toBe(true);
    await lease.release();
  });

  test("with times that are none blocks nobody", async () => {
    const times = { started_at_ms: 1, renewed_at_ms: 1, ttl_ms: 1e30 };
    const store = new MemoryStore();
    store.write(KEY, encoded({ format: 1, run: "r", holder: "h", workspace: "w", ...times }));
    const lease = await acquireLease(tools(store, "b", new ManualClock(MINUTE_MS)), undefined);
    expect(lease.exclusive).toBe(true);
    await lease.release();
  });

  test("of a machine whose clock is years ahead is told with what to do about it", async () => {
    const store = new MemoryStore();
    await acquireLease(tools(store, "a", new ManualClock(Date.UTC(2040, 0, 1))), undefined);
    const clock = new ManualClock(Date.UTC(2026, 0, 1));
    const loser = acquireLease(tools(store, "b", clock), undefined);
    expect(await codeOf(loser)).toBe("run_in_progress");
    await expect(loser).rejects.toThrow("remove manifests/.<snapshot>.lease.json at the destination");
  });
});

describe("a clock that is put back in the middle of a run", () => {
  /** Time goes on for who sleeps; what is read off the clock is an hour earlier once it was put back. */
  function shifting(store: MemoryStore) {
    const time = new ManualClock(Date.UTC(2026, 0, 1));
    let shiftMs = 0;
    const clock: Clock = {
      now: () => time.now() + shiftMs,
      sleep: async (ms, signal) => await time.sleep(ms, signal),
    };
    return { time, lease: { ...tools(store, "a", time), clock }, putBack: () => void (shiftMs = -60 * MINUTE_MS) };
  }

  test("does not hand its lease to a machine with the right time", async () => {
    const store = new MemoryStore();
    const { time, lease: own, putBack } = shifting(store);
    const lease = await acquireLease(own, undefined);
    putBack();
    for (let renewals = 0; renewals < 10; renewals++) await time.advanceAndSettle(MINUTE_MS / 2);
    expect(await codeOf(acquireLease(tools(store, "b", time), undefined))).toBe("run_in_progress");
    lease.check();
    await lease.release();
  });

  test("does not let it believe in a lease that it could not renew", async () => {
    const store = new MemoryStore();
    const { time, lease: own, putBack } = shifting(store);
    let isCut = false;
    const provider: Provider = {
      ...own.provider,
      put: async (key, source, options) => {
        if (isCut) throw new SyncError("provider_unreachable", "scripted", { retryable: true });
        return await own.provider.put(key, source, options);
      },
    };
    const lease = await acquireLease({ ...own, provider }, undefined);
    putBack();
    isCut = true;
    for (let renewals = 0; renewals < 5; renewals++) await time.advanceAndSettle(MINUTE_MS / 2);
    expect(() => lease.check()).toThrow("another machine took over");
    expect(lease.signal.aborted).toBe(true);
    await lease.release();
  });
});

test("two machines that run at once: one wins, the other is told, and no update is lost", async () => {
  const store = new MemoryStore();
  const a = await createWorkspace({ "assets/a.png": "A" }, store);
  const b = await createWorkspace({ "docs/b.md": "B" }, store);
  const results = await Promise.allSettled([a.run({ paths: ["assets"] }), b.run({ paths: ["docs"] })]);
  const refused = results.filter((result) => result.status === "rejected");
  expect(refused.length).toBeLessThanOrEqual(1);
  // Whoever was refused tries again; both files must then be in the manifest.
  await a.run({ paths: ["assets"] });
  await b.run({ paths: ["docs"] });
  const { manifest } = JSON.parse(new TextDecoder().decode(store.objects.get("manifests/default.json")?.bytes));
  expect(Object.keys(manifest.entries)).toEqual(["assets/a.png", "docs/b.md"]);
});

test("a store that ignores conditions is said in the run's warnings", async () => {
  const workspace = await createWorkspace({ "assets/a.png": "A" });
  workspace.wrap = (provider) => ({
    ...provider,
    put: (key, source, { precondition: _, ...options }) => provider.put(key, source, options),
  });
  const { summary } = await workspace.run();
  expect(summary).toMatchObject({ status: "ok" });
  expect(summary.warnings[0]).toContain("ignores conditional writes");
});
