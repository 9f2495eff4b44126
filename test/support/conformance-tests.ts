import { describe, expect, test } from "bun:test";
import type { ConformanceOptions, OpenForConformance } from "../../src/providers/conformance/conformance-case.ts";
import { conformanceCases } from "../../src/providers/conformance/conformance-cases.ts";
import {
  capabilitiesOf,
  isApplicable,
  newConformancePrefix,
  runConformanceCase,
} from "../../src/providers/conformance/run-conformance.ts";

/**
 * Registers one bun test for each conformance case that means anything for the provider:
 * `await conformanceTests("s3 on a fake", open, { largeObjectBytes: [...], secrets: [...] })` at a test file's top level.
 */
export async function conformanceTests(
  name: string,
  open: OpenForConformance,
  options: ConformanceOptions = {},
): Promise<void> {
  const capabilities = await capabilitiesOf(open);
  const prefix = options.prefix ?? newConformancePrefix();
  const timeoutMs = options.caseTimeoutMs ?? 120_000;
  describe(`${name} keeps the contract`, () => {
    for (const [index, conformanceCase] of conformanceCases.entries()) {
      if (!isApplicable(conformanceCase, capabilities, options)) continue;
      test(
        `${conformanceCase.rule}: ${conformanceCase.name}`,
        async () => {
          const report = await runConformanceCase(conformanceCase, open, `${prefix}${index}/`, options);
          if (report.failure !== undefined) throw new Error(report.failure, { cause: report.error });
          expect(report.left).toBeUndefined();
        },
        timeoutMs + 5_000,
      );
    }
  });
}
