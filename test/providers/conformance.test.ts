import { describe, expect, test } from "bun:test";
import { SyncError } from "../../src/core/errors.ts";
import type { ConformanceCase } from "../../src/providers/conformance/conformance-case.ts";
import { conformanceCases } from "../../src/providers/conformance/conformance-cases.ts";
import { ConformanceFailure } from "../../src/providers/conformance/expect.ts";
import { type ConformanceResult, runConformance } from "../../src/providers/conformance/run-conformance.ts";
import { secretsIn } from "../../src/providers/conformance/secrets-in.ts";
import { openMemoryProvider } from "../../src/providers/memory/memory-provider.ts";
import { MemoryStore } from "../../src/providers/memory/memory-store.ts";
import { memoryConformanceOptions } from "../support/memory-conformance.ts";

async function results(run: AsyncIterable<ConformanceResult>): Promise<ConformanceResult[]> {
  const all: ConformanceResult[] = [];
  for await (const result of run) all.push(result);
  return all;
}

const putsAndPasses: ConformanceCase = {
  name: "puts and passes",
  rule: 1,
  run: async (context) => void (await context.put(`${context.prefix}key`, new Uint8Array([1]))),
};

describe("a run of the suite", () => {
  test("tells every case once, in order, and the last result is that nothing is left behind", async () => {
    const store = new MemoryStore();
    const all = await results(
      runConformance(async () => openMemoryProvider({ store }), { ...memoryConformanceOptions(store), manyKeys: 20 }),
    );
    expect(all.slice(0, -1).map((result) => result.name)).toEqual(conformanceCases.map((each) => each.name));
    expect(all.filter((result) => result.outcome === "failed")).toEqual([]);
    expect(all.at(-1)).toEqual({ name: "the suite leaves nothing behind", rule: 5, outcome: "passed" });
    expect(store.objects.size).toBe(0);
  });

  test("covers each of the eleven promises", () => {
    expect([...new Set(conformanceCases.map((each) => each.rule))].toSorted((a, b) => a - b)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
    ]);
  });

  test("marks what the provider cannot do as not applicable", async () => {
    const open = async () => openMemoryProvider({ capabilities: { serverSideCopy: false, conditionalPut: false } });
    const needing: ConformanceCase = {
      ...putsAndPasses,
      name: "needs copies",
      needs: ({ serverSideCopy }) => serverSideCopy,
    };
    const all = await results(runConformance(open, { cases: [needing, putsAndPasses] }));
    expect(all.map((result) => result.outcome)).toEqual(["not_applicable", "passed", "passed"]);
  });

  test("goes on after a failure, says why, and removes what the failed case wrote", async () => {
    const store = new MemoryStore();
    const fails: ConformanceCase = {
      name: "fails",
      rule: 1,
      run: async (context) => {
        await context.put(`${context.prefix}key`, new Uint8Array([1]));
        throw new ConformanceFailure("because");
      },
    };
    const all = await results(
      runConformance(async () => openMemoryProvider({ store }), { cases: [fails, putsAndPasses] }),
    );
    expect(all.map((result) => [result.outcome, result.detail])).toEqual([
      ["failed", "because"],
      ["passed", undefined],
      ["passed", undefined],
    ]);
    expect(store.objects.size).toBe(0);
  });

  test("shows nothing of an error that is not ours", async () => {
    const leaks: ConformanceCase = { name: "leaks", rule: 8, run: () => Promise.reject(new Error("password=hunter2")) };
    const [result] = await results(runConformance(async () => openMemoryProvider(), { cases: [leaks] }));
    expect(result?.detail).toBe("threw a Error that is no SyncError");
  });

  test("ends a case that hangs and goes on", async () => {
    const hangs: ConformanceCase = { name: "hangs", rule: 10, run: () => new Promise(() => undefined) };
    const all = await results(
      runConformance(async () => openMemoryProvider(), { cases: [hangs, putsAndPasses], caseTimeoutMs: 20 }),
    );
    expect(all.map((result) => result.outcome)).toEqual(["failed", "passed", "passed"]);
    expect(all[0]?.detail).toBe("did not end within 20 ms");
  });

  test("tells what it could not remove", async () => {
    const store = new MemoryStore();
    const undeletable: ConformanceCase = {
      ...putsAndPasses,
      run: async (context) => {
        await putsAndPasses.run(context);
        store.undeletable.add(`${context.prefix}key`);
      },
    };
    const all = await results(
      runConformance(async () => openMemoryProvider({ store }), { cases: [undeletable], prefix: "below/" }),
    );
    expect(all.at(-1)?.outcome).toBe("failed");
    expect(all.at(-1)?.detail).toContain("below below/");
    expect(all.at(-1)?.detail).toContain("provider_denied");
  });

  test("touches no key outside its prefix", async () => {
    const store = new MemoryStore();
    store.write("mine", new Uint8Array([7]));
    const touched = new Set<string>();
    const open = async () => {
      const honest = openMemoryProvider({ store });
      return {
        ...honest,
        put: ((key, ...rest) => (touched.add(key), honest.put(key, ...rest))) satisfies typeof honest.put,
      };
    };
    await results(runConformance(open, { ...memoryConformanceOptions(store), manyKeys: 5 }));
    // Keys that no store can hold are tried as well, and refused.
    const outside = [...touched].filter(
      (key) => !key.startsWith("comfyvn-conformance-") && openMemoryProvider().keyFault(key) === undefined,
    );
    expect(outside).toEqual([]);
    expect([...store.objects.keys()]).toEqual(["mine"]);
  });

  test("ends between two cases when it is aborted", async () => {
    const controller = new AbortController();
    const run = runConformance(async () => openMemoryProvider(), {
      cases: [putsAndPasses, putsAndPasses],
      signal: controller.signal,
    });
    expect((await run.next()).value).toMatchObject({ outcome: "passed" });
    controller.abort();
    const error: unknown = await run.next().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "aborted" });
  });
});

describe("a secret is found", () => {
  const secret = "s3cr3t/Key+with=signs";
  const deep = new SyncError("provider_error", "harmless", {
    cause: new Error("outer", { cause: { request: { headers: new Headers({ authorization: secret }) } } }),
  });
  const hidden = Object.defineProperty(new Error("harmless"), "hidden", { value: secret, enumerable: false });
  const cyclic: { self?: unknown; at?: unknown } = {};
  cyclic.self = cyclic;
  cyclic.at = new Map([["key", [secret]]]);
  for (const [where, value] of Object.entries({
    "in a message": new Error(`GET with ${secret}`),
    "in a cause's headers": deep,
    "in a hidden property": hidden,
    "in details": new SyncError("provider_error", "harmless", {
      details: { url: `https://x/?k=${encodeURIComponent(secret)}` },
    }),
    "base64 encoded": { authorization: `Basic ${btoa(secret)}` },
    "in bytes": { body: new TextEncoder().encode(`<Key>${secret}</Key>`) },
    "in a cycle": cyclic,
    "behind a symbol": { [Symbol("context")]: secret },
    "as a property's name": { [secret]: 1 },
  })) {
    test(where, () => {
      expect(secretsIn(value, ["other", secret])).toBeDefined();
      expect(secretsIn(value, ["other", ""])).toBeUndefined();
    });
  }
});
