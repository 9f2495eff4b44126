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
