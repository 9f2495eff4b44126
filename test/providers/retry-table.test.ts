import { describe, expect, test } from "bun:test";
import { ERROR_CODES, SyncError } from "../../src/core/errors.ts";
import { openMemoryProvider } from "../../src/providers/memory/memory-provider.ts";
import { withRetry } from "../../src/providers/retry.ts";
import { mayRetry, RETRY_TABLE } from "../../src/providers/retry-table.ts";
import { fault, faultyProvider } from "../support/faulty-provider.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

/** What spec and table agree on; a change of either has to be made here as well. */
const ALWAYS = ["provider_unreachable", "provider_timeout", "provider_throttled", "provider_unavailable", "lock_busy"];
const WHEN_FLAGGED = ["provider_error", "provider_denied", "precondition_failed", "content_mismatch"];

/** How often the far side was asked when its first answer is `code`. */
async function attemptsAfter(code: (typeof ERROR_CODES)[number], retryable: boolean): Promise<number> {
  const faulty = faultyProvider(openMemoryProvider());
  faulty.script("stat", fault(code, { retryable }));
  const outcome = await withRetry(faulty.provider, undefined, { clock: new VirtualClock() })
    .stat("key")
    .catch((error: unknown) => error);
  expect(faulty.left()).toBe(0);
  if (faulty.calls("stat") === 1) expect(outcome).toMatchObject({ code });
  return faulty.calls("stat");
}

describe("what is repeated", () => {
  for (const row of RETRY_TABLE) {
    test(`${row.code}: ${row.retry}`, async () => {
      expect(await attemptsAfter(row.code, true)).toBe(row.retry === "never" ? 1 : 2);
      expect(await attemptsAfter(row.code, false)).toBe(row.retry === "always" ? 2 : 1);
      expect(row.why).not.toBe("");
    });
  }

  test("no code is in the table twice", () => {
    expect(new Set(RETRY_TABLE.map((row) => row.code)).size).toBe(RETRY_TABLE.length);
  });

  test("the rows that repeat are exactly the ones of the specification", () => {
    expect(RETRY_TABLE.filter((row) => row.retry === "always").map((row) => row.code as string)).toEqual(ALWAYS);
    expect(RETRY_TABLE.filter((row) => row.retry === "when_flagged").map((row) => row.code as string)).toEqual(
      WHEN_FLAGGED,
    );
  });

  test("a code that is not in the table is never repeated, whatever its flag", () => {
    const listed = new Set(RETRY_TABLE.map((row) => row.code));
    for (const code of ERROR_CODES.filter((each) => !listed.has(each))) {
      expect(mayRetry(new SyncError(code, "unlisted", { retryable: true }))).toBe(false);
    }
  });
});
