import { SyncError } from "../../../src/core/errors.ts";
import type { Provider } from "../../../src/providers/contract.ts";
import type { Mutant } from "./mutant.ts";
import { memorySecret } from "../../support/memory-conformance.ts";

const SHOWN = "no error shows a credential, whatever provoked it";

/** Faults against promises 8 to 10: errors, retries, aborts. */
export const callingMutants: readonly Mutant[] = [
  {
    fault: "quotes the request's headers in an error's message",
    caughtBy: [SHOWN],
    mutate: (honest) =>
      rethrowing(honest, (error) => again(error, { message: `${error.message} (authorization: ${memorySecret})` })),
  },
  {
    fault: "keeps the SDK's error with its request as the cause",
    caughtBy: [SHOWN],
    mutate: (honest) => rethrowing(honest, (error) => again(error, { cause: sdkError() })),
  },
  {
    fault: "shows the credential encoded, as basic authorization does",
    caughtBy: [SHOWN],
    mutate: (honest) => rethrowing(honest, (error) => again(error, { details: { sent: btoa(memorySecret) } })),
  },
  {
    fault: "throws what the SDK threw",
    caughtBy: [SHOWN],
    mutate: (honest) => rethrowing(honest, () => new Error("HTTP 412")),
  },
  {
    fault: "names the credential in its identity",
    caughtBy: ["nothing a provider returns shows a credential"],
    mutate: () => ({ identity: `https://user:${encodeURIComponent(memorySecret)}@store` }),
  },
  {
    fault: "tries three times before it tells",
    caughtBy: ["a passing failure of the far side is told as retryable at once, not retried inside"],
    mutate: (honest) => ({
      stat: async (key, options) => {
        for (let attempt = 1; attempt < 3; attempt++) {
          try {
            return await honest.stat(key, options);
          } catch {
            // The mutation: the caller never hears of it.
          }
        }
        return await honest.stat(key, options);
      },
    }),
  },
  {
    fault: "calls a passing failure final",
    caughtBy: ["a passing failure of the far side is told as retryable at once, not retried inside"],
    mutate: (honest) => rethrowing(honest, (error) => new SyncError(error.code, error.message)),
  },
  {
    fault: "never looks at the signal",
    caughtBy: [
      "a call whose signal has fired already does nothing",
      "a put aborted while its source is read leaves nothing visible",
      "an overwrite aborted while its source is read leaves the old object whole",
      "a listing aborted on its way ends with an error, never as if it were whole",
    ],
    mutate: (honest) => withoutSignal(honest),
  },
  {
    fault: "keeps a key locked after an aborted put",
    caughtBy: ["a put can be repeated after it was aborted"],
    mutate: (honest) => {
      const locked = new Set<string>();
      return {
        put: async (key, source, options) => {
          if (locked.has(key)) throw new SyncError("lock_busy", "the key is locked");
          locked.add(key);
          const info = await honest.put(key, source, options);
          locked.delete(key);
          return info;
        },
      };
    },
  },
  {
    fault: "ends an aborted body as if it were whole",
    caughtBy: ["a body aborted while it is read ends with an error, never as if it were whole"],
    mutate: (honest) => ({
      get: async (key, options) => {
        const content = await honest.get(key, options);
        if (content === undefined) return undefined;
        const reader = content.body.getReader();
        const body = new ReadableStream<Uint8Array>({
          pull: async (controller) => {
            const part = await reader.read().catch(() => ({ done: true as const, value: undefined }));
            if (part.done) controller.close();
            else controller.enqueue(part.value);
          },
        });
        return { ...content, body };
      },
    }),
  },
  {
    fault: "ends an aborted listing as if it were whole",
    caughtBy: ["a listing aborted on its way ends with an error, never as if it were whole"],
    mutate: (honest) => ({
      list: async function* (prefix, options) {
        for await (const info of honest.list(prefix)) {
          if (options?.signal?.aborted === true) return;
          yield info;
        }
      },
    }),
  },
];

/** Every verb throws `change(error)` where it would throw `error`. */
function rethrowing(honest: Provider, change: (error: SyncError) => unknown): Partial<Provider> {
  const changed = async <T>(call: () => Promise<T>): Promise<T> => {
    try {
      return await call();
    } catch (error) {
      throw error instanceof SyncError ? change(error) : error;
    }
  };
  return {
    put: (key, source, options) => changed(() => honest.put(key, source, options)),
    get: (key, options) => changed(() => honest.get(key, options)),
    stat: (key, options) => changed(() => honest.stat(key, options)),
    delete: (keys, options) => changed(() => honest.delete(keys, options)),
    copy: (from, to, options) => changed(() => honest.copy(from, to, options)),
  };
}

function again(
  error: SyncError,
  change: { readonly message?: string; readonly cause?: unknown; readonly details?: Record<string, unknown> },
): SyncError {
  const { message = error.message, ...options } = change;
  return new SyncError(error.code, message, { retryable: error.retryable, ...options });
}

function sdkError(): Error {
  return Object.assign(new Error("HTTP 412"), {
    $request: { headers: new Headers({ authorization: `AWS4 ${memorySecret}` }) },
  });
}

/** Every verb of `honest`, deaf to aborts. */
function withoutSignal(honest: Provider): Partial<Provider> {
  return {
    put: (key, source, { signal: _, ...options }) => honest.put(key, source, options),
    get: (key, { signal: _, ...options } = {}) => honest.get(key, options),
    stat: (key) => honest.stat(key),
    list: (prefix) => honest.list(prefix),
    delete: (keys) => honest.delete(keys),
    copy: (from, to, { signal: _, ...options }) => honest.copy(from, to, options),
  };
}
