import type { ExpectedOutput } from "./command-blocks.ts";

const ANYTHING = "…";

/** Why `stdout` is not what the document shows, or undefined when it is. What `…` stands for: commands.test.ts. */
export function outputFault(expected: ExpectedOutput, stdout: string): string | undefined {
  if (expected.language === "text") {
    return linesFault(expected.text.trimEnd().split("\n"), stdout.trimEnd().split("\n"), 0);
  }
  const pattern: unknown = JSON.parse(expected.text);
  let actual: unknown;
  try {
    actual = JSON.parse(stdout);
  } catch {
    return "stdout is not JSON";
  }
  return jsonFault(pattern, actual, "$");
}

function jsonFault(pattern: unknown, actual: unknown, at: string): string | undefined {
  if (typeof pattern === "string") {
    const fits = pattern === ANYTHING || (typeof actual === "string" && fitsText(pattern, actual));
    return fits ? undefined : `${at} is ${JSON.stringify(actual)}, not ${JSON.stringify(pattern)}`;
  }
  if (Array.isArray(pattern)) {
    return Array.isArray(actual) ? arrayFault(pattern, actual, at) : `${at} is no array`;
  }
  if (typeof pattern === "object" && pattern !== null) {
    const isObject = typeof actual === "object" && actual !== null && !Array.isArray(actual);
    return isObject ? objectFault({ ...pattern }, { ...actual }, at) : `${at} is no object`;
  }
  return pattern === actual ? undefined : `${at} is ${JSON.stringify(actual)}, not ${JSON.stringify(pattern)}`;
}

function arrayFault(pattern: readonly unknown[], actual: readonly unknown[], at: string): string | undefined {
  const isOpen = pattern.at(-1) === ANYTHING;
  const shown = isOpen ? pattern.slice(0, -1) : pattern;
  if (actual.length < shown.length || (!isOpen && actual.length > shown.length)) {
    return `${at} has ${actual.length} elements, not ${shown.length}`;
  }
  return firstFault(shown.map((each, index) => jsonFault(each, actual[index], `${at}[${index}]`)));
}

function objectFault(
  pattern: Readonly<Record<string, unknown>>,
  actual: Readonly<Record<string, unknown>>,
  at: string,
): string | undefined {
  const shown = Object.keys(pattern).filter((key) => key !== ANYTHING);
  const missing = shown.find((key) => !(key in actual));
  if (missing !== undefined) return `${at}.${missing} is missing`;
  const further = Object.keys(actual).find((key) => !(key in pattern));
  if (further !== undefined && !(ANYTHING in pattern)) return `${at}.${further} is not shown`;
  return firstFault(shown.map((key) => jsonFault(pattern[key], actual[key], `${at}.${key}`)));
}

function firstFault(faults: readonly (string | undefined)[]): string | undefined {
  return faults.find((fault) => fault !== undefined);
}

function linesFault(pattern: readonly string[], actual: readonly string[], from: number): string | undefined {
  const [first, ...rest] = pattern;
  if (first === undefined) return actual.length === from ? undefined : `line ${from + 1} is not shown`;
  if (first.trim() === ANYTHING) {
    for (let next = from; next <= actual.length; next++) {
      if (linesFault(rest, actual, next) === undefined) return undefined;
    }
    return `no line after line ${from} goes on as shown`;
  }
  const line = actual[from];
  if (line === undefined) return `line ${from + 1} is missing`;
  return fitsText(first, line) ? linesFault(rest, actual, from + 1) : `line ${from + 1} is not as shown`;
}

/** `…` stands for any characters. */
function fitsText(pattern: string, actual: string): boolean {
  const parts = pattern.split(ANYTHING);
  const [first = ""] = parts;
  const last = parts.at(-1) ?? "";
  if (parts.length === 1) return pattern === actual;
  if (!actual.startsWith(first) || !actual.slice(first.length).endsWith(last)) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = actual.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at <= actual.length - last.length;
}
