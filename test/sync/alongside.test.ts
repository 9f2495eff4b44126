import { expect, test } from "bun:test";
import { alongside } from "../../src/sync/alongside.ts";

/** Ends when its signal fires, and says so in `log`. */
function until(signal: AbortSignal, log: string[]): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => {
      log.push("ended");
      reject(new Error("aborted"));
    });
  });
}

test("the first one's failure ends the second, which is waited for, and is what is thrown", async () => {
  const log: string[] = [];
  const both = alongside(
    () => Promise.reject(new Error("no root")),
    (signal) => until(signal, log),
    undefined,
  );
  await expect(both).rejects.toThrow("no root");
  expect(log).toEqual(["ended"]);
});

test("the second one's failure ends the first, which may take long, and is what is thrown", async () => {
  const log: string[] = [];
  const both = alongside(
    (signal) => until(signal, log),
    () => Promise.reject(new Error("no bucket")),
    undefined,
  );
  await expect(both).rejects.toThrow("no bucket");
  expect(log).toEqual(["ended"]);
});

test("an abort from outside reaches both", async () => {
  const log: string[] = [];
  const outer = new AbortController();
  const both = alongside(
    (signal) => until(signal, log),
    (signal) => until(signal, log),
    outer.signal,
  );
  outer.abort();
  await expect(both).rejects.toThrow("aborted");
  expect(log).toEqual(["ended", "ended"]);
});
