import { expect, test } from "bun:test";
import { SyncError } from "../../src/core/errors.ts";
import { newPortableHasher } from "../../src/core/hash.ts";
import type { Provider } from "../../src/providers/contract.ts";
import { openMemoryProvider } from "../../src/providers/memory/memory-provider.ts";
import { MemoryStore } from "../../src/providers/memory/memory-store.ts";
import { withRetry } from "../../src/providers/retry.ts";
import { acquireLease, type Lease, type LeaseTools } from "../../src/sync/lease.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { codeOf } from "../support/workspace.ts";

const clock = new ManualClock(0);

function tools(provider: Provider, workspace: string): LeaseTools {
  const holder = { name: `host-${workspace}, process 1`, workspace };
  return { provider, key: "manifests/.default.lease.json", holder, newHasher: newPortableHasher, clock };
}

/** Every call that changes the store is made, then `between` runs, then its answer is lost; once. */
function losesOneAnswer(inner: Provider, between: () => Promise<void>): { provider: Provider; arm(): void } {
  let armed = false;
  const lose = async <T>(answer: T): Promise<T> => {
    if (!armed) return answer;
    armed = false;
    await between();
    throw new SyncError("provider_unreachable", "scripted", { retryable: true });
  };
  const provider: Provider = {
    ...inner,
    put: async (...args) => await lose(await inner.put(...args)),
    delete: async (...args) => await lose(await inner.delete(...args)),
  };
  return { provider, arm: () => void (armed = true) };
}

test("a lease given back whose answer is lost is not given back once more, from under the next holder", async () => {
  const store = new MemoryStore();
  const plain = openMemoryProvider({ store });
  let next: Lease | undefined;
  const faulty = losesOneAnswer(plain, async () => {
    next = await acquireLease(tools(plain, "b"), undefined);
  });
  const lease = await acquireLease(tools(withRetry(faulty.provider, undefined, { random: () => 0 }), "a"), undefined);
  faulty.arm();
  await lease.release();
  expect(next?.exclusive).toBe(true);
  expect(await codeOf(acquireLease(tools(plain, "c"), undefined))).toBe("run_in_progress");
  await next?.release();
  await (await acquireLease(tools(plain, "c"), undefined)).release();
});

test("a lease that was given back is free at once, whatever the clocks of its last and next holder say", async () => {
  const store = new MemoryStore();
  const ahead = { ...tools(openMemoryProvider({ store }), "a"), clock: new ManualClock(3_600_000) };
  await (await acquireLease(ahead, undefined)).release();
  const lease = await acquireLease(tools(openMemoryProvider({ store }), "b"), undefined);
  expect(lease.exclusive).toBe(true);
  await lease.release();
});

test("a renewal cut off by the end of the run, but applied, does not keep the lease from being given back", async () => {
  const store = new MemoryStore();
  const plain = openMemoryProvider({ store });
  const time = new ManualClock(0);
  let cutsOff = false;
  const held = Promise.withResolvers<void>();
  const provider: Provider = {
    ...plain,
    put: async (key, source, options) => {
      const { signal, ...others } = options;
      const stored = await plain.put(key, source, others);
      if (!cutsOff || signal === undefined) return stored;
      cutsOff = false;
      held.resolve();
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      throw new SyncError("aborted", "scripted");
    },
  };
  const lease = await acquireLease({ ...tools(provider, "a"), clock: time }, undefined);
  cutsOff = true;
  time.advance(60_000);
  await held.promise;
  await lease.release();
  await (await acquireLease({ ...tools(plain, "b"), clock: time }, undefined)).release();
});

/** A provider whose writes, from the `from`th on, wait for their signal; one without would wait for ever. */
function fallsSilent(from: number) {
  const plain = openMemoryProvider({ store: new MemoryStore() });
  const signals: (AbortSignal | undefined)[] = [];
  let puts = 0;
  const put: Provider["put"] = async (key, source, options) => {
    if (++puts < from) return await plain.put(key, source, options);
    const { signal } = options;
    signals.push(signal);
    if (signal?.aborted === false)
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    throw new SyncError("aborted", "scripted");
  };
  const time = new ManualClock(0);
  return { lease: { ...tools({ ...plain, put }, "a"), clock: time }, time, signals };
}

test("a store that answers nothing does not hold up a run that was cancelled", async () => {
  const cancelling = new AbortController();
  const silent = fallsSilent(3);
  const lease = await acquireLease(silent.lease, cancelling.signal);
  cancelling.abort();
  const released = lease.release();
  await silent.time.advanceAndSettle(0);
  await silent.time.advanceAndSettle(1_999);
  expect(silent.signals.map((signal) => signal?.aborted)).toEqual([false]);
  silent.time.advance(1);
  await released;
});

test("nor one that is cancelled while it gives its lease back", async () => {
  const cancelling = new AbortController();
  const silent = fallsSilent(3);
  const lease = await acquireLease(silent.lease, cancelling.signal);
  const released = lease.release();
  await silent.time.advanceAndSettle(20_000);
  expect(silent.signals.map((signal) => signal?.aborted)).toEqual([false]);
  cancelling.abort();
  silent.time.advance(2_000);
  await released;
});

test("nor one that is cancelled while it takes its lease", async () => {
  const cancelling = new AbortController();
  const silent = fallsSilent(2);
  const acquired = codeOf(acquireLease(silent.lease, cancelling.signal));
  await silent.time.advanceAndSettle(0);
  cancelling.abort();
  await silent.time.advanceAndSettle(0);
  silent.time.advance(2_000);
  expect(await acquired).toBe("aborted");
  expect(silent.signals.map((signal) => signal?.aborted)).toEqual([true, true]);
});
