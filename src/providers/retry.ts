import { type Clock, systemClock } from "../core/clock.ts";
import { type SyncError, toSyncError } from "../core/errors.ts";
import { type NewHasher, newPortableHasher } from "../core/hash.ts";
import { Attempts, type PatiencePolicy } from "./attempts.ts";
import { Circuit, type CircuitPolicy } from "./circuit.ts";
import type {
  ByteSource,
  CallOptions,
  DeleteOutcome,
  ObjectInfo,
  Provider,
  PutOptions,
  UnfinishedPuts,
} from "./contract.ts";
import { resumingBody } from "./resuming-body.ts";
import { mayRetry, outcomeUnknown } from "./retry-table.ts";

export interface RetryPolicy extends PatiencePolicy {
  readonly circuit: CircuitPolicy;
}

/**
 * An outage of ten seconds is survived: the waits of twelve attempts add up to thirty seconds but for one case in
 * thousands. A far side that stays dead costs a run of any length three times that, or once when it works in parallel.
 * One that takes every call and answers none, as behind a firewall that drops packets, has three of them to do so: twelve
 * would be as many minutes.
 */
export const RETRY_POLICY_DEFAULT: RetryPolicy = {
  attemptsMax: 12,
  backoffBaseMs: 200,
  backoffCapMs: 20_000,
  waitTotalMsMax: 30_000,
  retryAfterMsMax: 120_000,
  silentAttemptsMax: 3,
  silentTotalMsMax: 120_000,
  circuit: { gaveUpInARowMax: 3, gaveUpBudget: 20, successRefund: 0.1, trialEveryMs: 20_000 },
};

/**
 * For a plan, which has the cached manifest to fall back on and somebody who waits for it: a hiccup is survived, an
 * outage is told within seconds. One that takes a call and answers none has a single one.
 */
export const RETRY_POLICY_PLAN: RetryPolicy = {
  ...RETRY_POLICY_DEFAULT,
  waitTotalMsMax: 2_000,
  retryAfterMsMax: 5_000,
  silentAttemptsMax: 1,
  silentTotalMsMax: 0,
};

export interface RetryTools {
  /** Hears of every failed attempt that will be repeated, e.g. to ask for less at once. */
  readonly onRetry?: (error: SyncError) => void;
  readonly clock?: Clock;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
  /** Compares an object with our own bytes after a lost answer. Default @noble/hashes. */
  readonly newHasher?: NewHasher;
}

/**
 * `provider` with its passing failures repeated: exponential waits with full jitter, never shorter than the far side
 * asks for. What is repeated stands in retry-table.ts. One wrapper serves one run: its operations share two circuits,
 * for reads and for writes, that make the rest of a run fail fast when the far side is dead. An abort ends a wait at
 * once.
 *
 * - `put` opens its source anew for each attempt, and takes back by a negative `onBytes` what a failed one reported. An
 *   attempt goes on where the records of `resume` lead to, and patience is renewed by each that gets further. A
 *   condition that fails after an attempt whose answer was lost is a conflict only when the object is not our own bytes.
 * - `get`: the body goes on where it broke, with the same version or an error.
 * - `list` starts again and leaves out what it has given already; it holds the keys it gave in memory.
 * - `delete` repeats only the keys that may succeed yet.
 */
export function withRetry(
  provider: Provider,
  policy: RetryPolicy = RETRY_POLICY_DEFAULT,
  tools: RetryTools = {},
): Provider {
  const { clock = systemClock, random = Math.random, newHasher = newPortableHasher } = tools;
  const reads = new Circuit(policy.circuit, clock, provider.service);
  const writes = new Circuit(policy.circuit, clock, provider.service);
  const begin = (circuit: Circuit, options: CallOptions | undefined): Attempts =>
    new Attempts(policy, circuit, { clock, random, onRetry: tools.onRetry }, options?.signal);

  return {
    service: provider.service,
    capabilities: provider.capabilities,
    identity: provider.identity,
    keyFault: (key) => provider.keyFault(key),
    close: () => provider.close(),
    ...optionalCalls(provider, (options) => begin(writes, options)),
    ...(provider.unfinished === undefined
      ? {}
      : { unfinished: retriedDiscards(provider.unfinished, (options) => begin(writes, options)) }),

    put: async (key, source, options) => {
      const attempts = begin(writes, options);
      return await attempts.run(putAttempt(provider, key, source, options, newHasher, () => attempts.renew()));
    },
    stat: async (key, options) => await begin(reads, options).run(() => provider.stat(key, options)),
    copy: async (from, to, options) => await begin(writes, options).run(() => provider.copy(from, to, options)),
    delete: async (keys, options) => await deleteAll(provider, begin(writes, options), keys, options),

    get: async (key, options) => {
      const content = await begin(reads, options).run(() => provider.get(key, options));
      return content === undefined
        ? undefined
        : { ...content, body: resumingBody(provider, content, options, () => begin(reads, options)) };
    },

    list: async function* (prefix, options) {
      const attempts = begin(reads, options);
      const given = new Set<string>();
      try {
        for (;;) {
          try {
            for await (const info of provider.list(prefix, options)) {
              if (given.has(info.key)) continue;
              given.add(info.key);
              yield info;
            }
            attempts.succeeded();
            return;
          } catch (thrown) {
            await attempts.failed(thrown);
          }
        }
      } finally {
        attempts.end();
      }
    },
  };
}

/** Of the calls that not every provider has. */
function optionalCalls(
  provider: Provider,
  begin: (options: CallOptions | undefined) => Attempts,
): Pick<Provider, "move" | "recall" | "notices"> {
  return {
    ...(provider.move === undefined ? {} : { move: retriedMove(provider.move.bind(provider), begin) }),
    ...(provider.recall === undefined ? {} : { recall: (versions) => provider.recall?.(versions) }),
    ...(provider.notices === undefined ? {} : { notices: () => provider.notices?.() ?? [] }),
  };
}

function retriedMove(
  move: NonNullable<Provider["move"]>,
  begin: (options: CallOptions | undefined) => Attempts,
): NonNullable<Provider["move"]> {
  return async (from, to, options) => await begin(options).run(() => move(from, to, options));
}

function retriedDiscards(
  unfinished: UnfinishedPuts,
  begin: (options: CallOptions | undefined) => Attempts,
): UnfinishedPuts {
  return {
    discard: async (records, options) => await begin(options).run(() => unfinished.discard(records, options)),
    discardOthers: async (prefix, recordsOf, options) =>
      await begin(options).run(() => unfinished.discardOthers(prefix, recordsOf, options)),
  };
}

/** One attempt of a put, to be called again; it remembers whether an earlier one may have been applied. */
function putAttempt(
  provider: Provider,
  key: string,
  source: ByteSource,
  options: PutOptions,
  newHasher: NewHasher,
  onProgress: () => void,
): () => Promise<ObjectInfo> {
  let mayBeApplied = false;
  let furthest = 0;
  return async () => {
    let reported = 0;
    const onBytes = (bytes: number): void => {
      reported += bytes;
      options.onBytes?.(bytes);
    };
    try {
      return await provider.put(key, source, { ...options, onBytes });
    } catch (thrown) {
      if (reported !== 0) options.onBytes?.(-reported);
      if (reported > furthest && ((await options.resume?.load()) ?? []).length > 0) {
        furthest = reported;
        onProgress();
      }
      const error = toSyncError(thrown);
      const own =
        mayBeApplied && error.code === "precondition_failed"
          ? await ownWrite(provider, key, source.size, options, newHasher)
          : undefined;
      if (own !== undefined) {
        options.onBytes?.(own.size);
        return own;
      }
      mayBeApplied ||= outcomeUnknown(error);
      throw error;
    }
  };
}

/**
 * The object at `key` when it has exactly the bytes of this put: then its condition failed by our own earlier attempt.
 */
async function ownWrite(
  provider: Provider,
  key: string,
  size: number,
  options: PutOptions,
  newHasher: NewHasher,
): Promise<ObjectInfo | undefined> {
  const content = await provider.get(key, options.signal === undefined ? {} : { signal: options.signal });
  if (content === undefined) return undefined;
  if (content.size !== size) {
    await content.body.cancel();
    return undefined;
  }
  const hasher = newHasher();
  const reader = content.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) hasher.update(part.value);
  return hasher.digestHex() === options.sha256 ? { key, size, version: content.version } : undefined;
}

/**
 * Once some keys have an outcome the others get theirs too: what ends the attempts becomes their error, except an
 * abort.
 */
async function deleteAll(
  provider: Provider,
  attempts: Attempts,
  keys: readonly string[],
  options: CallOptions | undefined,
): Promise<readonly DeleteOutcome[]> {
  const outcomes: DeleteOutcome[] = keys.map((key) => ({ key }));
  let pending = keys.map((_, index) => index);
  let answered = false;
  try {
    await attempts.run(async () => {
      const answers = await provider.delete(
        pending.map((index) => keys[index] ?? ""),
        options,
      );
      answered = true;
      const tried = pending;
      for (const [n, answer] of answers.entries()) outcomes[tried[n] ?? 0] = answer;
      pending = tried.filter((index) => isPassing(outcomes[index]?.error));
      const passing = outcomes[pending[0] ?? -1]?.error;
      if (passing !== undefined) throw passing;
    });
  } catch (thrown) {
    const error = toSyncError(thrown);
    if (!answered || error.code === "aborted") throw error;
    for (const index of pending) outcomes[index] = { key: keys[index] ?? "", error: outcomes[index]?.error ?? error };
  }
  return outcomes;
}

function isPassing(error: SyncError | undefined): boolean {
  return error !== undefined && mayRetry(error);
}
