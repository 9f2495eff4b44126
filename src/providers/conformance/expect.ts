/** The suite's own assertions: it also runs where no test framework is (deno, a worker, `provider verify`). */
export class ConformanceFailure extends Error {
  override readonly name = "ConformanceFailure";
}

/** @throws ConformanceFailure with `message` unless `condition` */
export function check(condition: boolean, message: string): asserts condition {
  if (!condition) throw new ConformanceFailure(message);
}

/** @throws ConformanceFailure that shows both values */
export function checkEqual<T extends string | number | boolean | undefined>(
  actual: T,
  expected: T,
  what: string,
): void {
  check(Object.is(actual, expected), `${what}: ${show(actual)} where ${show(expected)} was expected`);
}

/** @throws ConformanceFailure that names the first byte in which they differ */
export function checkBytes(actual: Uint8Array | undefined, expected: Uint8Array, what: string): void {
  check(actual !== undefined, `${what}: nothing there where ${expected.length} bytes were expected`);
  const differs = firstDifference(actual, expected);
  check(
    actual.length === expected.length && differs === -1,
    `${what}: ${actual.length} bytes where ${expected.length} were expected, first difference at byte ${differs}`,
  );
}

/**
 * Both as sets of strings, each exactly once. @throws ConformanceFailure that lists some missing, unexpected and
 * repeated ones
 */
export function checkSameKeys(actual: readonly string[], expected: readonly string[], what: string): void {
  const given = new Set(actual);
  const wanted = new Set(expected);
  const missing = expected.filter((key) => !given.has(key));
  const unexpected = [...given].filter((key) => !wanted.has(key));
  const repeated = actual.filter((key, index) => actual.indexOf(key) !== index);
  const faults = [some("missing", missing), some("unexpected", unexpected), some("given twice", repeated)].filter(
    (fault) => fault !== "",
  );
  check(faults.length === 0, `${what}: ${faults.join("; ")}`);
}

function firstDifference(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return i;
  return a.length === b.length ? -1 : length;
}

function some(what: string, keys: readonly string[]): string {
  if (keys.length === 0) return "";
  return `${keys.length} ${what} (${keys.slice(0, 3).map(show).join(", ")}${keys.length > 3 ? ", …" : ""})`;
}

/** A value as one line of printable characters, so that control characters in keys can be told apart. */
export function show(value: string | number | boolean | undefined): string {
  if (typeof value !== "string") return String(value);
  const shown = JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return shown.length > 120 ? `${shown.slice(0, 117)}…"` : shown;
}
