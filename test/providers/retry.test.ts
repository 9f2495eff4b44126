import { describe, expect, test } from "bun:test";
import { systemClock } from "../../src/core/clock.ts";
import { SyncError } from "../../src/core/errors.ts";
import { memoryRecords } from "../../src/providers/conformance/memory-records.ts";
import { sourceOf } from "../../src/providers/conformance/sources.ts";
import type { ObjectInfo, Provider } from "../../src/providers/contract.ts";
import { openMemoryProvider } from "../../src/providers/memory/memory-provider.ts";
import { MemoryStore } from "../../src/providers/memory/memory-store.ts";
import { RETRY_POLICY_DEFAULT, withRetry } from "../../src/providers/retry.ts";
import { conformanceTests } from "../support/conformance-tests.ts";
import { fault, faultyProvider } from "../support/faulty-provider.ts";
import { memoryConformanceOptions } from "../support/memory-conformance.ts";
import { seededRandom, VirtualClock } from "../support/virtual-clock.ts";
import { sha256 } from "./conformance-mutants/mutant.ts";

const bytes = new TextEncoder().encode("the bytes of a sprite");
const digest = sha256(bytes);

/** A memory store behind scripted faults behind the wrapper, with time that costs none. */
function bench(seed = 1) {
  const store = new MemoryStore();
  const inner = openMemoryProvider({ store });
  const faulty = faultyProvider(inner);
  const clock = new VirtualClock();
  const provider = withRetry(faulty.provider, undefined, { clock, random: seededRandom(seed) });
  return { store, inner, faulty, clock, provider };
}

async function codeOf(call: Promise<unknown>): Promise<string> {
  const outcome = await call.then(
    () => "resolved",
    (error: unknown) => error,
  );
  return outcome instanceof SyncError ? outcome.code : String(outcome);
}

async function keysOf(provider: Provider, prefix: string): Promise<string[]> {
  const infos: ObjectInfo[] = [];
  for await (const info of provider.list(prefix)) infos.push(info);
  return infos.map((info) => info.key);
}

// Conformance first: the wrapper must not break a promise that the provider keeps.
const conformanceStore = new MemoryStore();
const { beginOutage: _, ...conformanceOptions } = memoryConformanceOptions(conformanceStore);
await conformanceTests(
  "a provider with retries",
  async () => withRetry(openMemoryProvider({ store: conformanceStore })),
  conformanceOptions,
);

describe("waiting", () => {
  test("waits are spread over the whole interval, and the interval doubles up to its cap", async () => {
    const ceilings: number[] = Array.from({ length: 11 }, () => 0);
    for (let seed = 0; seed < 300; seed++) {
      const { faulty, clock, provider } = bench(seed);
      faulty.script("stat", ...Array.from({ length: 12 }, () => fault("provider_unavailable")));
      await codeOf(provider.stat("key"));
      for (const [n, ms] of clock.slept.entries()) ceilings[n] = Math.max(ceilings[n] ?? 0, ms);
    }
    for (const [n, seen] of ceilings.slice(0, 6).entries()) {
      expect(seen).toBeLessThanOrEqual(200 * 2 ** n);
      expect(seen).toBeGreaterThan(200 * 2 ** n * 0.9);
    }
    expect(Math.max(...ceilings)).toBeLessThanOrEqual(20_000);
  });

  test("an outage of ten seconds is survived, whatever the dice say", async () => {
    for (let seed = 0; seed < 1_000; seed++) {
      const { inner, clock } = bench();
      const down: Provider = {
        ...inner,
        stat: async () => (clock.now() < 10_000 ? Promise.reject(fault("provider_unreachable").error) : undefined),
      };
      expect(
        await codeOf(withRetry(down, undefined, { clock, random: seededRandom(seed) }).stat("key")),
        `seed ${seed}`,
      ).toBe("resolved");
    }
  });

  test("an operation's waits end after thirty seconds with its own error, which tells the attempts", async () => {
    const { inner, clock } = bench();
    const down: Provider = { ...inner, stat: async () => Promise.reject(fault("provider_throttled").error) };
    const error: unknown = await withRetry(down, undefined, { clock })
      .stat("key")
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "provider_throttled", retryable: true });
    expect((error as SyncError).message).toMatch(/^scripted provider_throttled \(attempts: \d+, waited \d+\.\d s\)$/);
    expect(clock.now()).toBeLessThanOrEqual(30_000);
  });

  test("what the far side asks for is waited for", async () => {
    const { faulty, clock, provider } = bench();
    faulty.script("put", fault("provider_throttled", { retryAfterMs: 7_000 }));
    await provider.put("key", sourceOf(bytes), { sha256: digest });
    expect(clock.slept).toEqual([7_000]);
    expect(faulty.left()).toBe(0);
  });

  test("a far side that asks for an hour is not waited for", async () => {
    const { faulty, clock, provider } = bench();
    faulty.script("stat", fault("provider_throttled", { retryAfterMs: 3_600_000 }));
    const error: unknown = await provider.stat("key").catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "provider_throttled", retryAfterMs: 3_600_000 });
    expect(clock.slept).toEqual([]);
  });

  test("an abort ends a wait at once", async () => {
    const { faulty, store } = bench();
    faulty.script("put", fault("provider_unavailable", { retryAfterMs: 60_000 }));
    const controller = new AbortController();
    const asleep = Promise.withResolvers<void>();
    const provider = withRetry(faulty.provider, undefined, {
      clock: {
        now: () => 0,
        sleep: async (ms, signal) => {
          const sleeping = systemClock.sleep(ms, signal);
          asleep.resolve();
          await sleeping;
        },
      },
    });
    const put = codeOf(provider.put("key", sourceOf(bytes), { sha256: digest, signal: controller.signal }));
    await asleep.promise;
    controller.abort();
    expect(await put).toBe("aborted");
    expect(faulty.calls("put")).toBe(1);
    expect(store.objects.size).toBe(0);
  });
});

describe("putting", () => {
  test("the source is opened anew for each attempt", async () => {
    const { faulty, provider, inner } = bench();
    faulty.script(
      "put",
      fault("provider_unreachable", { when: "after" }),
      fault("provider_timeout", { when: "after" }),
    );
    const source = sourceOf(bytes);
    await provider.put("key", source, { sha256: digest });
    expect(source.opened).toBe(3);
    expect(source.closed).toBe(3);
    expect((await inner.stat("key"))?.size).toBe(bytes.length);
  });

  test("progress goes back by what a failed attempt had reported", async () => {
    const { faulty, provider } = bench();
    faulty.script("put", fault("provider_unreachable", { when: "after" }));
    const reported: number[] = [];
    await provider.put("key", sourceOf(bytes), { sha256: digest, onBytes: (count) => void reported.push(count) });
    expect(reported).toEqual([bytes.length, -bytes.length, bytes.length]);
  });

  test("patience is renewed by attempts that get further and are gone on with, and by no others", async () => {
    for (const [kept, partsMax] of [
      [true, 40],
      [false, RETRY_POLICY_DEFAULT.attemptsMax],
    ] as const) {
      const { inner, clock } = bench();
      const records = memoryRecords();
      let attempts = 0;
      const flaky: Provider = {
        ...inner,
        put: async (key, source, options) => {
          attempts++;
          options.onBytes?.(attempts);
          if (attempts === 40) return await inner.put(key, source, { sha256: digest });
          if (kept) await options.resume?.add({ part: attempts });
          throw fault("provider_unreachable").error;
        },
      };
      const provider = withRetry(flaky, undefined, { clock, random: () => 1 });
      const put = provider.put("key", sourceOf(bytes), { sha256: digest, resume: records });
      expect(await codeOf(put)).toBe(kept ? "resolved" : "provider_unreachable");
      expect(attempts).toBeLessThanOrEqual(partsMax);
    }
  });

  test("progress of a put that fails for good ends at nothing", async () => {
    const { provider } = bench();
    let sum = 0;
    expect(
      await codeOf(
        provider.put("key", sourceOf(bytes), { sha256: "0".repeat(64), onBytes: (count) => void (sum += count) }),
      ),
    ).toBe("content_mismatch");
    expect(sum).toBe(0);
  });

  for (const lost of ["provider_unreachable", "provider_timeout", "provider_unavailable"] as const) {
    test(`a conditional put whose answer was lost by ${lost} is not a conflict with itself`, async () => {
      const { faulty, provider, store } = bench();
      faulty.script("put", fault(lost, { when: "after" }));
      let sum = 0;
      const info = await provider.put("key", sourceOf(bytes), {
        sha256: digest,
        precondition: { kind: "absent" },
        onBytes: (count) => void (sum += count),
      });
      expect(info).toMatchObject({ key: "key", size: bytes.length, version: store.objects.get("key")?.version ?? "" });
      expect(sum).toBe(bytes.length);
      expect(faulty.left()).toBe(0);
    });
  }

  test("the version our lost answer would have told is the one that is returned", async () => {
    const { faulty, provider, inner } = bench();
    const first = await inner.put("key", sourceOf(new Uint8Array([1])), { sha256: sha256(new Uint8Array([1])) });
    faulty.script("put", fault("provider_timeout", { when: "after" }));
    const info = await provider.put("key", sourceOf(bytes), {
      sha256: digest,
      precondition: { kind: "version", version: first.version },
    });
    expect(info.version).toBe((await inner.stat("key"))?.version ?? "");
  });

  for (const [what, foreign] of [
    ["other bytes of the same size", bytes.map((byte) => byte ^ 1)],
    ["bytes of another size", bytes.slice(1)],
  ] as const) {
    test(`a conflict with ${what} stays a conflict after a lost answer`, async () => {
      const { faulty, provider, inner } = bench();
      faulty.script("put", fault("provider_timeout", { when: "before" }));
      await inner.put("key", sourceOf(foreign), { sha256: sha256(foreign) });
      expect(
        await codeOf(provider.put("key", sourceOf(bytes), { sha256: digest, precondition: { kind: "absent" } })),
      ).toBe("precondition_failed");
      expect(
        sha256((await inner.get("key").then((content) => new Response(content?.body).bytes())) ?? new Uint8Array()),
      ).toBe(sha256(foreign));
    });
  }

  test("a conflict on the first attempt is a conflict even with the same bytes", async () => {
    const { provider, inner } = bench();
    await inner.put("key", sourceOf(bytes), { sha256: digest });
    expect(
      await codeOf(provider.put("key", sourceOf(bytes), { sha256: digest, precondition: { kind: "absent" } })),
    ).toBe("precondition_failed");
  });

  test("a conflict after an answer that proves nothing was stored is a conflict even with the same bytes", async () => {
    const { faulty, provider, inner } = bench();
    faulty.script("put", fault("provider_throttled"));
    await inner.put("key", sourceOf(bytes), { sha256: digest });
    expect(
      await codeOf(provider.put("key", sourceOf(bytes), { sha256: digest, precondition: { kind: "absent" } })),
    ).toBe("precondition_failed");
  });

  test("the comparison with our own bytes is repeated when it fails itself", async () => {
    const { faulty, provider } = bench();
    faulty.script("put", fault("provider_timeout", { when: "after" }));
    faulty.script("get", fault("provider_unavailable"));
    expect(
      await codeOf(provider.put("key", sourceOf(bytes), { sha256: digest, precondition: { kind: "absent" } })),
    ).toBe("resolved");
    expect(faulty.left()).toBe(0);
  });
});

describe("deleting", () => {
  test("only the keys that failed in passing are asked for again", async () => {
    const { inner, clock } = bench();
    const asked: (readonly string[])[] = [];
    const flaky: Provider = {
      ...inner,
      delete: async (keys) => {
        asked.push(keys);
        return keys.map((key) => {
          if (key === "final") return { key, error: new SyncError("provider_denied", "protected") };
          return key.startsWith("passing") && asked.length < 3
            ? { key, error: fault("provider_unavailable").error }
            : { key };
        });
      },
    };
    const outcomes = await withRetry(flaky, undefined, { clock }).delete(["a", "passing-1", "final", "b", "passing-2"]);
    expect(asked).toEqual([
      ["a", "passing-1", "final", "b", "passing-2"],
      ["passing-1", "passing-2"],
      ["passing-1", "passing-2"],
    ]);
    expect(outcomes.map((outcome) => [outcome.key, outcome.error?.code])).toEqual([
      ["a", undefined],
      ["passing-1", undefined],
      ["final", "provider_denied"],
      ["b", undefined],
      ["passing-2", undefined],
    ]);
  });

  test("outcomes already known survive a far side that dies on the way", async () => {
    const { inner, clock } = bench();
    let calls = 0;
    const dying: Provider = {
      ...inner,
      delete: async (keys) => {
        if (++calls > 1) throw fault("provider_unreachable").error;
        return keys.map((key) => (key === "a" ? { key } : { key, error: fault("provider_unavailable").error }));
      },
    };
    const outcomes = await withRetry(dying, undefined, { clock }).delete(["a", "b"]);
    expect(outcomes.map((outcome) => outcome.error?.code)).toEqual([undefined, "provider_unavailable"]);
  });

  test("a delete that was never answered throws", async () => {
    const { inner, clock } = bench();
    const dead: Provider = { ...inner, delete: async () => Promise.reject(fault("provider_unreachable").error) };
    expect(await codeOf(withRetry(dead, undefined, { clock }).delete(["a"]))).toBe("provider_unreachable");
  });
});

describe("listing and reading", () => {
  test("a listing that breaks on its way gives every key once", async () => {
    const { inner, clock } = bench();
    for (let n = 0; n < 30; n++) await inner.put(`k${n}`, sourceOf(bytes), { sha256: digest });
    let rounds = 0;
    const breaking: Provider = {
      ...inner,
      list: async function* (prefix) {
        const breakAt = [10, 5, 25][rounds++] ?? 100;
        let given = 0;
        for await (const info of inner.list(prefix)) {
          if (given++ === breakAt) throw fault("provider_unreachable").error;
          yield info;
        }
      },
    };
    const keys = await keysOf(withRetry(breaking, undefined, { clock }), "k");
    expect(rounds).toBe(4);
    expect(keys.toSorted()).toEqual(Array.from({ length: 30 }, (_, n) => `k${n}`).toSorted());
  });

  test("a listing that never gets through throws instead of ending", async () => {
    const { inner, clock } = bench();
    await inner.put("k", sourceOf(bytes), { sha256: digest });
    const broken: Provider = {
      ...inner,
      list: async function* (prefix) {
        yield* inner.list(prefix);
        throw fault("provider_unavailable").error;
      },
    };
    expect(await codeOf(keysOf(withRetry(broken, undefined, { clock }), "k"))).toBe("provider_unavailable");
  });

  /** `inner` whose bodies break after `partBytes`, `breaks` times, with `error` or (undefined) by ending early. */
  function breakingBodies(inner: Provider, breaks: number, error: SyncError | undefined): Provider {
    let left = breaks;
    return {
      ...inner,
      get: async (key, options) => {
        const content = await inner.get(key, options);
        if (content === undefined || left-- <= 0) return content;
        const all = await new Response(content.body as ReadableStream<Uint8Array<ArrayBuffer>>).bytes();
        let sent = false;
        const body = new ReadableStream<Uint8Array>({
          pull: (controller) => {
            if (!sent) controller.enqueue(all.slice(0, 5));
            else if (error === undefined) controller.close();
            else controller.error(error);
            sent = true;
          },
        });
        return { ...content, body };
      },
    };
  }

  for (const [what, error] of [
    ["breaks", fault("provider_unreachable").error],
    ["ends early", undefined],
  ] as const) {
    test(`a body that ${what} goes on where it was`, async () => {
      const { inner, clock } = bench();
      await inner.put("key", sourceOf(bytes), { sha256: digest });
      for (const range of [undefined, { offset: 3 }, { offset: 2, length: 14 }]) {
        const provider = withRetry(breakingBodies(inner, 2, error), undefined, { clock });
        const content = await provider.get("key", range === undefined ? {} : { range });
        const read = await new Response(content?.body as ReadableStream<Uint8Array<ArrayBuffer>>).bytes();
        const from = range?.offset ?? 0;
        expect(read).toEqual(bytes.slice(from, range?.length === undefined ? undefined : from + range.length));
      }
    });
  }

  test("a body whose object is replaced on the way is an error, never a mixture", async () => {
    const { inner, clock } = bench();
    await inner.put("key", sourceOf(bytes), { sha256: digest });
    const provider = withRetry(breakingBodies(inner, 1, fault("provider_unreachable").error), undefined, { clock });
    const content = await provider.get("key");
    const other = bytes.map((byte) => byte ^ 1);
    await inner.put("key", sourceOf(other), { sha256: sha256(other) });
    expect(await codeOf(new Response(content?.body as ReadableStream<Uint8Array<ArrayBuffer>>).bytes())).toBe(
      "provider_error",
    );
  });
});

describe("a far side that is dead", () => {
  /** Puts 3,000 files, `atOnce` at a time; the codes of their errors. */
  async function run(provider: Provider, atOnce: number): Promise<string[]> {
    const codes: string[] = [];
    const files = Array.from({ length: 3_000 }, (_, n) => `file-${n}`).values();
    const worker = async (): Promise<void> => {
      for (const file of files) codes.push(await codeOf(provider.put(file, sourceOf(bytes), { sha256: digest })));
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    return codes;
  }

  for (const atOnce of [1, 16]) {
    test(`ends a run of 3,000 files, ${atOnce} at a time, within two minutes`, async () => {
      const { inner, clock } = bench();
      const dead: Provider = { ...inner, put: async () => Promise.reject(fault("provider_unreachable").error) };
      const codes = await run(withRetry(dead, undefined, { clock, random: seededRandom(5) }), atOnce);
      expect(codes.every((code) => code === "provider_unreachable")).toBe(true);
      expect(clock.now()).toBeLessThan(120_000);
    });
  }

  test("is given up within four minutes when it takes every call and answers none", async () => {
    const { inner, clock } = bench();
    let calls = 0;
    const silent: Provider = {
      ...inner,
      stat: async () => {
        calls++;
        await clock.sleep(60_000);
        throw fault("provider_timeout").error;
      },
    };
    expect(await codeOf(withRetry(silent, undefined, { clock }).stat("key"))).toBe("provider_timeout");
    expect(calls).toBe(3);
    expect(clock.now()).toBeLessThan(240_000);
  });

  test("is not presumed from calls that a store itself ends quickly for their time", async () => {
    const { faulty, provider } = bench();
    faulty.script("stat", ...Array.from({ length: 5 }, () => fault("provider_timeout")));
    expect(await codeOf(provider.stat("key"))).toBe("resolved");
    expect(faulty.left()).toBe(0);
  });

  test("is told by one clear code and message, with the last answer", async () => {
    const { inner, clock } = bench();
    const dead: Provider = { ...inner, put: async () => Promise.reject(fault("provider_unavailable").error) };
    const provider = withRetry(dead, undefined, { clock });
    const errors: SyncError[] = [];
    for (let n = 0; n < 4; n++)
      await provider.put("k", sourceOf(bytes), { sha256: digest }).catch((error: SyncError) => errors.push(error));
    expect(errors.map((error) => error.code)).toEqual([
      "provider_unavailable",
      "provider_unavailable",
      "provider_unavailable",
      "provider_unreachable",
    ]);
    expect(errors[3]?.message).toContain("the rest of this run is not tried");
    expect(errors[3]?.message).toContain("scripted provider_unavailable");
    expect(errors[3]?.details).toMatchObject({ circuit: "open", last: "provider_unavailable" });
  });

  test("is not presumed from an outage of ten seconds in the middle of a run", async () => {
    const { inner, clock } = bench();
    let puts = 0;
    let endsAtMs = Number.POSITIVE_INFINITY;
    const briefly: Provider = {
      ...inner,
      put: async (...args) => {
        if (++puts === 1_000) endsAtMs = clock.now() + 10_000;
        if (puts >= 1_000 && clock.now() < endsAtMs) throw fault("provider_unreachable").error;
        return await inner.put(...args);
      },
    };
    const codes = await run(withRetry(briefly, undefined, { clock, random: seededRandom(9) }), 16);
    expect(codes.filter((code) => code !== "resolved")).toEqual([]);
    expect(clock.now()).toBeGreaterThanOrEqual(10_000);
  });

  test("is not presumed from a few objects that can never be stored", async () => {
    const { inner, clock } = bench();
    const poisoned: Provider = {
      ...inner,
      put: async (key, ...rest) =>
        /-(500|501|502|503)$/.test(key) ? Promise.reject(fault("provider_unavailable").error) : inner.put(key, ...rest),
    };
    // What arrives takes time too, as on a network.
    const timed: Provider = {
      ...poisoned,
      put: async (...args) => {
        await clock.sleep(50);
        return await poisoned.put(...args);
      },
    };
    const codes = await run(withRetry(timed, undefined, { clock, random: seededRandom(3) }), 8);
    expect(codes.filter((code) => code !== "resolved")).toEqual(
      Array.from({ length: 4 }, () => "provider_unavailable"),
    );
  });

  test("is presumed when nearly every operation gives up, though some succeed", async () => {
    const { inner, clock } = bench();
    const ailing: Provider = {
      ...inner,
      put: async (key, ...rest) =>
        key.endsWith("0") ? inner.put(key, ...rest) : Promise.reject(fault("provider_unavailable").error),
    };
    const lenient = { ...RETRY_POLICY_DEFAULT, circuit: { ...RETRY_POLICY_DEFAULT.circuit, gaveUpInARowMax: 1_000 } };
    const codes = await run(withRetry(ailing, lenient, { clock, random: seededRandom(4) }), 1);
    expect(codes.filter((code) => code === "provider_unavailable").length).toBeLessThan(30);
    expect(codes.at(-1)).toBe("provider_unreachable");
  });

  test("is looked at again after a while, and used when it has come back", async () => {
    const { inner, clock } = bench();
    let dead = true;
    let asked = 0;
    const returning: Provider = {
      ...inner,
      put: async (...args) => {
        asked++;
        return dead ? Promise.reject(fault("provider_unreachable").error) : await inner.put(...args);
      },
    };
    const provider = withRetry(returning, undefined, { clock, random: seededRandom(6) });
    const put = (key: string) => codeOf(provider.put(key, sourceOf(bytes), { sha256: digest }));
    for (let n = 0; n < 3; n++) await put("k");
    const askedBefore = asked;
    expect(await put("fast")).toBe("provider_unreachable");
    expect(asked).toBe(askedBefore);
    await clock.sleep(20_000);
    expect(await put("looks again")).toBe("provider_unreachable");
    expect(asked).toBe(askedBefore + 1);
    dead = false;
    await clock.sleep(20_000);
    expect(await put("is back")).toBe("resolved");
    expect(await put("goes on")).toBe("resolved");
  });

  test("for writes is still asked for reads", async () => {
    const { inner, clock } = bench();
    const readOnly: Provider = { ...inner, put: async () => Promise.reject(fault("provider_unavailable").error) };
    const provider = withRetry(readOnly, undefined, { clock });
    for (let n = 0; n < 4; n++) await codeOf(provider.put("k", sourceOf(bytes), { sha256: digest }));
    expect(await codeOf(provider.stat("k"))).toBe("resolved");
  });
});
