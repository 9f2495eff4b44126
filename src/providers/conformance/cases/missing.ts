import type { ErrorCode } from "../../../core/errors.ts";
import type { Provider } from "../../contract.ts";
import type { ConformanceCase, ConformanceContext, OpenForConformance } from "../conformance-case.ts";
import { check, checkBytes, checkEqual, checkSameKeys } from "../expect.ts";
import { someBytes, sourceOf } from "../sources.ts";

/** Promise 3: undefined means "not there", and nothing else does. */
export const missingCases: readonly ConformanceCase[] = [
  {
    name: "an object that was never put is undefined to get and stat",
    rule: 3,
    run: async (context) => {
      await checkMissing(context, `${context.prefix}never`);
      await checkMissing(context, `${context.prefix}never/in/a/folder`);
    },
  },
  {
    name: "neighbours of a missing key do not stand in for it",
    rule: 3,
    run: async (context) => {
      const bytes = someBytes(10, 80);
      for (const name of ["abc", "dir/file", "dir2/dir/file"]) await context.put(`${context.prefix}${name}`, bytes);
      for (const name of [
        "ab",
        "abcd",
        "dir",
        "dir/fil",
        "dir/file2",
        "dir/file/below",
        "dir2",
        "dir2/dir",
        "abc/below",
      ]) {
        await checkMissing(context, `${context.prefix}${name}`);
      }
      for (const name of ["abc", "dir/file", "dir2/dir/file"])
        checkBytes(await context.read(`${context.prefix}${name}`), bytes, name);
    },
  },
  {
    name: "a missing container is an error to every call, never an empty store",
    rule: 3,
    needs: (_, options) => options.openMissingContainer !== undefined,
    run: async (context) =>
      checkAllRefused(context, context.options.openMissingContainer, "provider_container_missing"),
  },
  {
    name: "refused credentials are an error to every call, never an empty store",
    rule: 3,
    needs: (_, options) => options.openDenied !== undefined,
    run: async (context) => checkAllRefused(context, context.options.openDenied, "provider_denied"),
  },
];

async function checkMissing(context: ConformanceContext, key: string): Promise<void> {
  check((await context.provider.get(key)) === undefined, `get gave something for the missing ${key}`);
  check((await context.provider.stat(key)) === undefined, `stat gave something for the missing ${key}`);
}

async function checkAllRefused(
  context: ConformanceContext,
  open: OpenForConformance | undefined,
  code: ErrorCode,
): Promise<void> {
  check(open !== undefined, "the case ran without the way to open such a destination");
  let provider: Provider;
  try {
    provider = await context.openAnother(open);
  } catch (error) {
    await context.rejects(() => Promise.reject(error), code, "opening");
    return;
  }
  const key = `${context.prefix}refused`;
  const bytes = someBytes(10, 81);
  await context.rejects(() => provider.stat(key), code, "stat");
  await context.rejects(() => provider.get(key), code, "get");
  await context.rejects(() => context.listKeys(context.prefix, provider), code, "list");
  await context.rejects(() => provider.put(key, sourceOf(bytes), { sha256: context.sha256(bytes) }), code, "put");
  if (provider.capabilities.serverSideCopy)
    await context.rejects(() => provider.copy(key, `${key}-2`, {}), code, "copy");
  await context.rejects(() => deleteOrThrow(provider, key), code, "delete");
  checkSameKeys(await context.listKeys(context.prefix), [], "what the refused calls left in the real container");
}

/** `delete` may throw as a whole or answer key by key. */
async function deleteOrThrow(provider: Provider, key: string): Promise<void> {
  const outcomes = await provider.delete([key]);
  checkEqual(outcomes.length, 1, "outcomes of one key");
  if (outcomes[0]?.error !== undefined) throw outcomes[0].error;
}
