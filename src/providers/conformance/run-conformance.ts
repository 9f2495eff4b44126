import { SyncError } from "../../core/errors.ts";
import type { Capabilities } from "../contract.ts";
import type { ConformanceCase, ConformanceOptions, OpenForConformance } from "./conformance-case.ts";
import { conformanceCases } from "./conformance-cases.ts";
import { openContext } from "./context.ts";
import { ConformanceFailure } from "./expect.ts";

export interface ConformanceResult {
  readonly name: string;
  /** Number of the promise in contract.ts. */
  readonly rule: number;
  readonly outcome: "passed" | "failed" | "not_applicable";
  /** Why it failed. */
  readonly detail?: string;
}

const CASE_TIMEOUT_MS_DEFAULT = 120_000;
const CLEAN_UP_NAME = "the suite leaves nothing behind";

/**
 * Runs every case against the destination that `open` opens, one after the other, and yields each result as it comes;
 * the last one says whether everything the suite wrote is gone again. A case that fails does not end the run.
 * `signal` ends it between two cases with `aborted`.
 */
export async function* runConformance(
  open: OpenForConformance,
  options: ConformanceOptions & { readonly signal?: AbortSignal; readonly cases?: readonly ConformanceCase[] } = {},
): AsyncGenerator<ConformanceResult, void, undefined> {
  const prefix = options.prefix ?? newConformancePrefix();
  const capabilities = await capabilitiesOf(open);
  const left: string[] = [];
  let number = 0;
  for (const conformanceCase of options.cases ?? conformanceCases) {
    if (options.signal?.aborted === true) throw new SyncError("aborted", "the operation was cancelled");
    number++;
    const { name, rule } = conformanceCase;
    if (!isApplicable(conformanceCase, capabilities, options)) {
      yield { name, rule, outcome: "not_applicable" };
      continue;
    }
    const report = await runConformanceCase(conformanceCase, open, `${prefix}${number}/`, options);
    if (report.left !== undefined) left.push(`${name}: ${report.left}`);
    yield report.failure === undefined
      ? { name, rule, outcome: "passed" }
      : { name, rule, outcome: "failed", detail: report.failure };
  }
  const removed = { name: CLEAN_UP_NAME, rule: 5 };
  yield left.length === 0
    ? { ...removed, outcome: "passed" }
    : { ...removed, outcome: "failed", detail: `below ${prefix}: ${left.join("; ")}` };
}

/** `comfyvn-conformance-<random>/`: a key prefix that no other run has. */
export function newConformancePrefix(): string {
  return `comfyvn-conformance-${crypto.randomUUID().slice(0, 13)}/`;
}

/** What the provider says it can do; asks it of a provider of its own. */
export async function capabilitiesOf(open: OpenForConformance): Promise<Capabilities> {
  const provider = await open();
  await provider.close();
  return provider.capabilities;
}

/** Whether `conformanceCase` means anything for a provider with `capabilities`. */
export function isApplicable(
  conformanceCase: ConformanceCase,
  capabilities: Capabilities,
  options: ConformanceOptions,
): boolean {
  return conformanceCase.needs?.(capabilities, options) ?? true;
}

export interface CaseReport {
  /** Undefined when the case passed. */
  readonly failure: string | undefined;
  /** What was thrown, for a developer's eyes only. */
  readonly error?: unknown;
  /** What could not be removed afterwards; undefined when all is gone. */
  readonly left: string | undefined;
}

/** Runs one case under `prefix` and removes what it wrote, also when it failed. Never throws. */
export async function runConformanceCase(
  conformanceCase: ConformanceCase,
  open: OpenForConformance,
  prefix: string,
  options: ConformanceOptions,
): Promise<CaseReport> {
  try {
    const context = await openContext(open, prefix, options);
    const ended = await endOf(conformanceCase.run(context), options.caseTimeoutMs ?? CASE_TIMEOUT_MS_DEFAULT);
    return { ...ended, left: await context.cleanUp() };
  } catch (error) {
    return { failure: describe(error), error, left: undefined };
  }
}

async function endOf(run: Promise<void>, timeoutMs: number): Promise<Omit<CaseReport, "left">> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<Omit<CaseReport, "left">>((resolve) => {
    timer = setTimeout(() => resolve({ failure: `did not end within ${timeoutMs} ms` }), timeoutMs);
  });
  try {
    return await Promise.race([run.then(() => ({ failure: undefined })), late]);
  } catch (error) {
    return { failure: describe(error), error };
  } finally {
    clearTimeout(timer);
  }
}

/** What of an error may be shown: a foreign error's message might hold anything. */
function describe(error: unknown): string {
  if (error instanceof ConformanceFailure) return error.message;
  if (error instanceof SyncError) return `threw ${error.code}: ${error.message}`;
  return `threw a ${error instanceof Error ? error.name : typeof error} that is no SyncError`;
}
