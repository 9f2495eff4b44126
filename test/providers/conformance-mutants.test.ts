import { describe, expect, test } from "bun:test";
import type { ConformanceOptions } from "../../src/providers/conformance/conformance-case.ts";
import { conformanceCases } from "../../src/providers/conformance/conformance-cases.ts";
import { runConformanceCase } from "../../src/providers/conformance/run-conformance.ts";
import { MemoryStore } from "../../src/providers/memory/memory-store.ts";
import { memoryConformanceOptions, refusingStore } from "../support/memory-conformance.ts";
import { callingMutants } from "./conformance-mutants/calling-mutants.ts";
import { integrityMutants } from "./conformance-mutants/integrity-mutants.ts";
import { keyMutants } from "./conformance-mutants/key-mutants.ts";
import { listingMutants } from "./conformance-mutants/listing-mutants.ts";
import { type Mutant, openMutant } from "./conformance-mutants/mutant.ts";
import { movingMutants } from "./conformance-mutants/moving-mutants.ts";
import { readingMutants } from "./conformance-mutants/reading-mutants.ts";
import { resumingMutants } from "./conformance-mutants/resuming-mutants.ts";
import { writingMutants } from "./conformance-mutants/writing-mutants.ts";

const mutants: readonly Mutant[] = [
  ...integrityMutants,
  ...readingMutants,
  ...listingMutants,
  ...writingMutants,
  ...movingMutants,
  ...keyMutants,
  ...callingMutants,
  ...resumingMutants,
];

/** The suite's options with every provider it opens mutated alike. */
function optionsFor(mutant: Mutant, store: MemoryStore): ConformanceOptions {
  return {
    ...memoryConformanceOptions(store),
    openMissingContainer: async () => openMutant(mutant, refusingStore("provider_container_missing")),
    openDenied: async () => openMutant(mutant, refusingStore("provider_denied")),
    caseTimeoutMs: 5_000,
  };
}

describe("the conformance suite catches a provider that", () => {
  for (const mutant of mutants) {
    test(mutant.fault, async () => {
      for (const name of mutant.caughtBy) {
        const conformanceCase = conformanceCases.find((each) => each.name === name);
        if (conformanceCase === undefined) throw new Error(`there is no case "${name}"`);
        const store = new MemoryStore();
        const report = await runConformanceCase(
          conformanceCase,
          async () => openMutant(mutant, store),
          "mutant/",
          optionsFor(mutant, store),
        );
        expect(report.failure, `outcome of "${name}"`).toBeDefined();
        expect(report.failure, `outcome of "${name}"`).not.toContain("that is no SyncError");
      }
    });
  }
});

test("every case of the suite can fail: some mutant is caught by it", () => {
  const caughtBy = new Set(mutants.flatMap((mutant) => mutant.caughtBy));
  const cannotFail = conformanceCases.map((each) => each.name).filter((name) => !caughtBy.has(name));
  expect(cannotFail).toEqual([]);
});

test("no two cases have one name", () => {
  const names = conformanceCases.map((each) => each.name);
  expect(new Set(names).size).toBe(names.length);
});
