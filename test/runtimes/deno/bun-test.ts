/**
 * What the portable tests use of `bun:test`, over `Deno.test`: deno.json puts it in its place.
 * A matcher that is not here fails its test.
 */
import { equals, Like, matchesObject } from "./equals.ts";

type Body = () => unknown;

interface TestApi {
  (options: { name: string; sanitizeOps: false; sanitizeResources: false; fn: () => Promise<void> }): void;
  afterAll(run: Body): void;
}

const denoTest = (globalThis as unknown as { readonly Deno: { readonly test: TestApi } }).Deno.test;

/** One `describe`: its hooks run around each of its tests, or around all of them. */
interface Scope {
  readonly name: string;
  readonly beforeAll: Body[];
  readonly afterAll: Body[];
  readonly beforeEach: Body[];
  readonly afterEach: Body[];
  begun: boolean;
  testsLeft: number;
}

let scopes: readonly Scope[] = [newScope("")];

function newScope(name: string): Scope {
  return { name, beforeAll: [], afterAll: [], beforeEach: [], afterEach: [], begun: false, testsLeft: 0 };
}

export function describe(name: string, body: () => void): void {
  const outer = scopes;
  scopes = [...outer, newScope(name)];
  try {
    body();
  } finally {
    scopes = outer;
  }
}

/** Once for each case, which its name shows. */
function forCases(run: (name: string, body: Body) => void) {
  return (cases: readonly unknown[]) => (name: string, body: (...values: unknown[]) => unknown) => {
    for (const one of cases) {
      const values: unknown[] = Array.isArray(one) ? one : [one];
      run(`${name} ${show(values)}`, () => body(...values));
    }
  };
}

describe.each = forCases(describe);
test.each = forCases(test);

/** The time limit, which Bun takes as a third argument, is CI's own here. */
export function test(name: string, body: Body): void {
  const around = scopes;
  for (const scope of around) scope.testsLeft++;
  const fullName = [...around.slice(1).map((scope) => scope.name), name].join(" > ");
  denoTest({ name: fullName, sanitizeOps: false, sanitizeResources: false, fn: () => runTest(around, body) });
}

async function runTest(around: readonly Scope[], body: Body): Promise<void> {
  for (const scope of around) if (!scope.begun) await runAll(scope.beforeAll);
  for (const scope of around) scope.begun = true;
  for (const scope of around) await runAll(scope.beforeEach);
  try {
    await body();
  } finally {
    for (const scope of around.toReversed()) await runAll(scope.afterEach);
    // The outermost ends with its file: tests may still be registered when the first ones run.
    for (const scope of around.slice(1).toReversed()) if (--scope.testsLeft === 0) await runAll(scope.afterAll);
  }
}

async function runAll(bodies: readonly Body[]): Promise<void> {
  for (const body of bodies) await body();
}

export const beforeAll = (body: Body) => void scopes.at(-1)?.beforeAll.push(body);
export const beforeEach = (body: Body) => void scopes.at(-1)?.beforeEach.push(body);
export const afterEach = (body: Body) => void scopes.at(-1)?.afterEach.push(body);
export const afterAll = (body: Body) => {
  if (scopes.length === 1) denoTest.afterAll(body);
  else scopes.at(-1)?.afterAll.push(body);
};

type Check = (actual: unknown, ...expected: readonly unknown[]) => boolean;

/** By name; `not`, `rejects` and `resolves` are added around them. */
const MATCHERS: Readonly<Record<string, Check>> = {
  toBe: (actual, expected) => Object.is(actual, expected),
  toEqual: (actual, expected) => equals(actual, expected),
  toStrictEqual: (actual, expected) => equals(actual, expected),
  toMatchObject: (actual, expected) => matchesObject(actual, expected),
  toBeUndefined: (actual) => actual === undefined,
  toBeDefined: (actual) => actual !== undefined,
  toBeNull: (actual) => actual === null,
  toBeTrue: (actual) => actual === true,
  toBeFalse: (actual) => actual === false,
  toBeString: (actual) => typeof actual === "string",
  toBeEmpty: (actual) => lengthOf(actual) === 0,
  toBeGreaterThan: (actual, expected) => (actual as number) > (expected as number),
  toBeGreaterThanOrEqual: (actual, expected) => (actual as number) >= (expected as number),
  toBeLessThan: (actual, expected) => (actual as number) < (expected as number),
  toBeLessThanOrEqual: (actual, expected) => (actual as number) <= (expected as number),
  toBeInstanceOf: (actual, expected) => actual instanceof (expected as new () => unknown),
  toHaveLength: (actual, expected) => lengthOf(actual) === expected,
  toContain: (actual, expected) =>
    typeof actual === "string"
      ? actual.includes(String(expected))
      : [...(actual as Iterable<unknown>)].some((each) => Object.is(each, expected)),
  toContainEqual: (actual, expected) => [...(actual as Iterable<unknown>)].some((each) => equals(each, expected)),
  toStartWith: (actual, expected) => String(actual).startsWith(String(expected)),
  toEndWith: (actual, expected) => String(actual).endsWith(String(expected)),
  toMatch: (actual, expected) => matchesText(String(actual), expected),
  toHaveProperty: (actual, path, ...value) => hasProperty(actual, String(path).split("."), value),
  toThrow: (actual, expected) => throwsLike(actual, expected),
  toHaveBeenCalledTimes: (actual, expected) => (actual as { readonly calls: number }).calls === expected,
};

function hasProperty(of: unknown, [name = "", ...rest]: readonly string[], value: readonly unknown[]): boolean {
  if (!(of instanceof Object) || !Object.hasOwn(of, name)) return false;
  const found = (of as Record<string, unknown>)[name];
  return rest.length > 0 ? hasProperty(found, rest, value) : value.length === 0 || equals(found, value[0]);
}

function lengthOf(value: unknown): unknown {
  const { length, size } = value as { readonly length?: number; readonly size?: number };
  return length ?? size ?? Object.keys(value as object).length;
}

function matchesText(text: string, expected: unknown): boolean {
  return expected instanceof RegExp ? expected.test(text) : text.includes(String(expected));
}

/** `actual` is a function to call, or what a promise was rejected with. */
function throwsLike(actual: unknown, expected: unknown): boolean {
  let thrown: unknown = actual;
  if (typeof actual === "function") {
    try {
      (actual as Body)();
      return false;
    } catch (error) {
      thrown = error;
    }
  }
  if (expected === undefined) return thrown !== undefined;
  if (typeof expected === "function") return thrown instanceof expected;
  if (expected instanceof Like) return expected.accepts(thrown);
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return expected instanceof Error ? message === expected.message : matchesText(message, expected);
}

type Matcher = (...expected: readonly unknown[]) => void;
type AsyncMatcher = (...expected: readonly unknown[]) => Promise<void>;

/** `expect(actual).toBe(expected)`, `.not.…`, `await expect(promise).rejects.…` */
export function expect(actual: unknown) {
  return {
    ...matchers((name, wanted, expected) => check(name, wanted, actual, expected)),
    not: matchers((name, wanted, expected) => check(name, !wanted, actual, expected)),
    resolves: asyncMatchers(async () => await actual),
    rejects: asyncMatchers(async () => await rejectionOf(actual)),
  };
}

/** Stand in an expected value for all that is like them. */
expect.stringContaining = (part: string) => new Like((actual) => typeof actual === "string" && actual.includes(part));
expect.objectContaining = (part: object) => new Like((actual) => matchesObject(actual, part));
expect.any = (kind: new () => unknown) => new Like((actual) => Object(actual) instanceof kind);
expect.anything = () => new Like((actual) => actual !== undefined && actual !== null);

function matchers(run: (name: string, wanted: boolean, expected: readonly unknown[]) => void): Record<string, Matcher> {
  return Object.fromEntries(
    Object.keys(MATCHERS).map((name) => [name, (...expected: readonly unknown[]) => run(name, true, expected)]),
  );
}

function asyncMatchers(settle: () => Promise<unknown>): Record<string, AsyncMatcher> {
  return Object.fromEntries(
    Object.keys(MATCHERS).map((name) => [name, async (...expected) => check(name, true, await settle(), expected)]),
  );
}

async function rejectionOf(promise: unknown): Promise<unknown> {
  const rejected = { error: undefined as unknown };
  const value = await Promise.resolve(typeof promise === "function" ? (promise as Body)() : promise).then(
    (resolved: unknown) => ({ resolved }),
    (error: unknown) => {
      rejected.error = error;
      return undefined;
    },
  );
  if (value !== undefined) throw new Error(`expected a rejection, but it resolved to ${show(value.resolved)}`);
  return rejected.error;
}

function check(name: string, wanted: boolean, actual: unknown, expected: readonly unknown[]): void {
  if (MATCHERS[name]?.(actual, ...expected) === wanted) return;
  throw new Error(`expected ${show(actual)} ${wanted ? "" : "not "}${name} ${expected.map(show).join(", ")}`);
}

function show(value: unknown): string {
  const deno = (globalThis as unknown as { readonly Deno: { inspect(value: unknown, options: object): string } }).Deno;
  return deno.inspect(value, { depth: 8, strAbbreviateSize: 2000 });
}

/** Puts another function in the place of `holder[name]` until `mockRestore`, and counts its calls. */
export function spyOn<Name extends string>(holder: Readonly<Record<Name, unknown>>, name: Name) {
  const original = Object.getOwnPropertyDescriptor(holder, name);
  const spy = {
    calls: 0,
    mockImplementation: (run: (...values: readonly unknown[]) => unknown) => {
      const value = (...values: readonly unknown[]) => {
        spy.calls++;
        return run(...values);
      };
      Object.defineProperty(holder, name, { value, configurable: true, writable: true });
      return spy;
    },
    mockRestore: () => {
      if (original === undefined) delete (holder as Record<string, unknown>)[name];
      else Object.defineProperty(holder, name, original);
    },
  };
  return spy;
}
