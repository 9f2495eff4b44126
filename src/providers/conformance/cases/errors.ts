import type { Provider } from "../../contract.ts";
import type { Outage, ConformanceCase, ConformanceContext } from "../conformance-case.ts";
import { check, checkBytes, checkEqual } from "../expect.ts";
import { secretsIn } from "../secrets-in.ts";
import { someBytes, sourceOf } from "../sources.ts";

/** Promises 8 and 9: errors are from the table, show no secret, and nothing is retried behind the caller's back. */
export const errorCases: readonly ConformanceCase[] = [
  {
    name: "no error shows a credential, whatever provoked it",
    rule: 8,
    needs: (_, options) => (options.secrets ?? []).length > 0,
    run: async (context) => {
      const { provider } = context;
      const bytes = someBytes(10, 400);
      await context.rejects(
        () => context.put(`${context.prefix}x`, bytes, { sha256: context.sha256(someBytes(9, 401)) }),
        "content_mismatch",
        "wrong bytes",
      );
      await context.rejects(() => context.put("\ud800", bytes), "key_invalid", "an impossible key");
      if (provider.capabilities.conditionalPut) {
        const stale = { kind: "version", version: '"0123456789abcdef0123456789abcdef"' } as const;
        await context.rejects(
          () => context.put(`${context.prefix}x`, bytes, { precondition: stale }),
          "precondition_failed",
          "a stale version",
        );
      }
      if (provider.capabilities.serverSideCopy) {
        await context.rejects(
          () => provider.copy(`${context.prefix}never`, `${context.prefix}x`, {}),
          "object_missing",
          "a missing source",
        );
      }
      await context.rejects(
        () => provider.stat(`${context.prefix}x`, { signal: AbortSignal.abort() }),
        "aborted",
        "an aborted call",
      );
      if (context.options.beginOutage !== undefined) await duringOutage(context, async () => undefined);
    },
  },
  {
    name: "nothing a provider returns shows a credential",
    rule: 8,
    needs: (_, options) => (options.secrets ?? []).length > 0,
    run: async (context) => {
      const { provider } = context;
      const key = `${context.prefix}shown`;
      const put = await context.put(key, someBytes(10, 402));
      const { body, ...got } = (await provider.get(key)) ?? { body: new ReadableStream<Uint8Array>() };
      await body.cancel();
      const listed: unknown[] = [];
      for await (const info of provider.list(context.prefix)) listed.push(info);
      const returned = {
        put,
        got,
        listed,
        stat: await provider.stat(key),
        identity: provider.identity,
        service: provider.service,
        deleted: await provider.delete([key]),
      };
      const leaked = secretsIn(returned, context.options.secrets ?? []);
      check(leaked === undefined, `what a provider returns shows a secret in ${leaked}`);
    },
  },
  {
    name: "a passing failure of the far side is told as retryable at once, not retried inside",
    rule: 9,
    needs: (_, options) => options.beginOutage !== undefined,
    run: async (context) => {
      const bytes = someBytes(10, 403);
      await context.put(`${context.prefix}before`, bytes);
      await duringOutage(context, async (outage, what) => checkEqual(outage.requests(), 1, `requests of one ${what}`));
      checkBytes(await context.read(`${context.prefix}before`), bytes, "the object after the outage");
      check(
        (await context.provider.stat(`${context.prefix}during`)) === undefined,
        "a put that failed has stored something",
      );
    },
  },
];

/** One call of each verb in an outage of its own; each must throw an error that the retry table always repeats. */
async function duringOutage(
  context: ConformanceContext,
  after: (outage: Outage, what: string) => Promise<void>,
): Promise<void> {
  for (const [what, call] of Object.entries(callsOf(context))) {
    const outage = await context.options.beginOutage?.();
    check(outage !== undefined, "the case ran without a way to make an outage");
    try {
      const error = await context.rejects(
        () => call(context.provider),
        ["provider_unavailable", "provider_unreachable", "provider_throttled", "provider_timeout"],
        what,
      );
      check(error.retryable, `${what} during an outage is not retryable`);
      await after(outage, what);
    } finally {
      await outage.end();
    }
  }
}

function callsOf(context: ConformanceContext): Record<string, (provider: Provider) => Promise<unknown>> {
  const [before, during] = [`${context.prefix}before`, `${context.prefix}during`];
  const bytes = someBytes(10, 404);
  const copy = (provider: Provider) => provider.copy(before, during, {});
  return {
    stat: (provider) => provider.stat(before),
    get: (provider) => provider.get(before),
    list: (provider) => context.listKeys(context.prefix, provider),
    put: (provider) => provider.put(during, sourceOf(bytes), { sha256: context.sha256(bytes) }),
    delete: async (provider) => {
      const [outcome] = await provider.delete([before]);
      if (outcome?.error !== undefined) throw outcome.error;
    },
    ...(context.provider.capabilities.serverSideCopy ? { copy } : {}),
  };
}
