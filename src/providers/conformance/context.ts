import { type ErrorCode, SyncError } from "../../core/errors.ts";
import { newPortableHasher } from "../../core/hash.ts";
import type { Provider } from "../contract.ts";
import { retryRule } from "../retry-table.ts";
import type { ConformanceContext, ConformanceOptions, OpenForConformance } from "./conformance-case.ts";
import { check, show } from "./expect.ts";
import { secretsIn } from "./secrets-in.ts";
import { sourceOf } from "./sources.ts";

/** Enough to pass the buffers of a provider that has no multipart. */
const LARGE_OBJECT_BYTES_DEFAULT = [1024 * 1024 + 1];
const MANY_KEYS_DEFAULT = 1_050;

export interface OwnedContext extends ConformanceContext {
  /** Removes every object of the case and closes its providers. What could not be removed, or undefined. */
  cleanUp(): Promise<string | undefined>;
}

/** A context for one case, working under `prefix` with providers made by `open`. */
export async function openContext(
  open: OpenForConformance,
  prefix: string,
  options: ConformanceOptions,
): Promise<OwnedContext> {
  const newHasher = options.newHasher ?? newPortableHasher;
  const opened: Provider[] = [];
  const written = new Set<string>();

  const openAnother = async (openIt: OpenForConformance = open): Promise<Provider> => {
    const another = await openIt();
    opened.push(another);
    return another;
  };
  const provider = await openAnother();

  const sha256 = (bytes: Uint8Array): string => {
    const hasher = newHasher();
    hasher.update(bytes);
    return hasher.digestHex();
  };

  return {
    provider,
    options,
    prefix,
    largeObjectBytes: options.largeObjectBytes ?? LARGE_OBJECT_BYTES_DEFAULT,
    manyKeys: options.manyKeys ?? MANY_KEYS_DEFAULT,
    openAnother,
    sha256,
    put: async (key, bytes, { by = provider, source = sourceOf(bytes), ...put } = {}) => {
      written.add(key);
      return await by.put(key, source, { sha256: sha256(bytes), ...put });
    },
    read: async (key, by = provider) => {
      const content = await by.get(key);
      return content === undefined ? undefined : await readBody(content.body);
    },
    listKeys: async (under, by = provider) => {
      const keys: string[] = [];
      for await (const info of by.list(under)) keys.push(info.key);
      return keys;
    },
    rejects: (action, codes, what) =>
      rejects(action, typeof codes === "string" ? [codes] : codes, what, options.secrets ?? []),
    cleanUp: () => cleanUp(opened, prefix, written),
  };
}

/** All bytes of `body`. */
export async function readBody(body: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(body as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer());
}

async function rejects(
  action: () => Promise<unknown>,
  codes: readonly ErrorCode[],
  what: string,
  secrets: readonly string[],
): Promise<SyncError> {
  let error: unknown;
  try {
    await action();
  } catch (thrown) {
    error = thrown;
  }
  check(error !== undefined, `${what}: nothing was thrown where ${codes.join(" or ")} was expected`);
  const leaked = secretsIn(error, secrets);
  check(leaked === undefined, `${what}: the error shows a secret in its ${leaked}`);
  check(
    error instanceof SyncError,
    `${what}: a ${error instanceof Error ? error.name : typeof error} was thrown where a SyncError was expected`,
  );
  check(
    codes.includes(error.code),
    `${what}: ${error.code} (${show(error.message)}) where ${codes.join(" or ")} was expected`,
  );
  checkFlag(error, what);
  return error;
}

/** Promise 8: the code is in the table and `retryable` does not contradict it. */
export function checkFlag(error: SyncError, what: string): void {
  const rule = retryRule(error.code);
  check(rule !== undefined, `${what}: ${error.code} is not a code of the retry table`);
  check(
    rule === "when_flagged" || error.retryable === (rule === "always"),
    `${what}: ${error.code} has retryable ${error.retryable}, the retry table says ${rule}`,
  );
}

async function cleanUp(
  opened: readonly Provider[],
  prefix: string,
  written: ReadonlySet<string>,
): Promise<string | undefined> {
  const [provider] = opened;
  let trouble: string | undefined;
  try {
    if (provider !== undefined) trouble = await removeAll(provider, prefix, written);
  } catch (error) {
    trouble = error instanceof SyncError ? `${error.code}: ${error.message}` : "an error that is no SyncError";
  }
  await Promise.allSettled(opened.map((each) => each.close()));
  return trouble;
}

/** Also what a faulty listing hides: the keys that were written are known. */
async function removeAll(
  provider: Provider,
  prefix: string,
  written: ReadonlySet<string>,
): Promise<string | undefined> {
  const keys = new Set([...written].filter((key) => provider.keyFault(key) === undefined));
  for await (const info of provider.list(prefix)) keys.add(info.key);
  const outcomes = keys.size === 0 ? [] : await provider.delete([...keys]);
  const failed = outcomes.find((outcome) => outcome.error !== undefined);
  if (failed !== undefined) return `${show(failed.key)} could not be deleted (${failed.error?.code})`;
  for await (const info of provider.list(prefix)) return `${show(info.key)} is still listed`;
  return undefined;
}
