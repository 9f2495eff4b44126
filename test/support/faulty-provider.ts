import { type ErrorCode, SyncError, type SyncErrorOptions } from "../../src/core/errors.ts";
import type { Provider } from "../../src/providers/contract.ts";

export type Verb = "put" | "get" | "stat" | "list" | "delete" | "copy";

export interface Fault {
  readonly error: SyncError;
  /** `before` (default): the call is not made. `after`: it is made, and its answer lost. */
  readonly when?: "before" | "after";
}

/** A provider that fails as scripted. A test ends with `faults.left()` at 0: every fault must have fired. */
export interface FaultyProvider {
  readonly provider: Provider;
  /** The next calls of `verb` meet these faults, one each. */
  script(verb: Verb, ...faults: readonly Fault[]): void;
  /** Faults that have not fired. */
  left(): number;
  /** Calls of `verb` so far, failed ones included. */
  calls(verb: Verb): number;
}

export function fault(code: ErrorCode, options: SyncErrorOptions & { readonly when?: "before" | "after" } = {}): Fault {
  const { when = "before", ...rest } = options;
  return { when, error: new SyncError(code, `scripted ${code}`, { retryable: true, ...rest }) };
}

export function faultyProvider(inner: Provider): FaultyProvider {
  const scripts = new Map<Verb, Fault[]>();
  const counts = new Map<Verb, number>();
  const meet = async <T>(verb: Verb, call: () => Promise<T>): Promise<T> => {
    counts.set(verb, (counts.get(verb) ?? 0) + 1);
    const next = scripts.get(verb)?.shift();
    if (next?.when === "after") await call();
    if (next !== undefined) throw next.error;
    return await call();
  };
  return {
    provider: {
      ...inner,
      put: (...args) => meet("put", () => inner.put(...args)),
      get: (...args) => meet("get", () => inner.get(...args)),
      stat: (...args) => meet("stat", () => inner.stat(...args)),
      delete: (...args) => meet("delete", () => inner.delete(...args)),
      copy: (...args) => meet("copy", () => inner.copy(...args)),
      list: async function* (...args) {
        await meet("list", async () => undefined);
        yield* inner.list(...args);
      },
    },
    script: (verb, ...faults) => void scripts.set(verb, [...(scripts.get(verb) ?? []), ...faults]),
    left: () => [...scripts.values()].reduce((sum, faults) => sum + faults.length, 0),
    calls: (verb) => counts.get(verb) ?? 0,
  };
}
