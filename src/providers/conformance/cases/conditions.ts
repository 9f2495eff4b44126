import type { ObjectInfo, Precondition, Provider } from "../../contract.ts";
import type { ConformanceCase, ConformanceContext } from "../conformance-case.ts";
import { check, checkBytes, checkEqual } from "../expect.ts";
import { someBytes, sourceOf } from "../sources.ts";

const ABSENT: Precondition = { kind: "absent" };
const WRITERS = 8;
/** Rounds a store may answer "neither was judged" before the case gives up. */
const ROUNDS_MAX = 20;

/** Promise 6: conditional writes, on which leases and the manifest's compare-and-swap stand. */
export const conditionCases: readonly ConformanceCase[] = [
  {
    name: "a second create of one key is refused and changes nothing",
    rule: 6,
    needs: ({ conditionalPut }) => conditionalPut,
    run: async (context) => {
      for (const size of [100, 0, ...context.largeObjectBytes]) {
        const key = `${context.prefix}created-${size}`;
        const bytes = someBytes(size, 110);
        const first = await context.put(key, bytes, { precondition: ABSENT });
        for (const again of [bytes, someBytes(size + 1, 111)]) {
          await context.rejects(
            () => context.put(key, again, { precondition: ABSENT }),
            "precondition_failed",
            "a second create",
          );
        }
        checkBytes(await context.read(key), bytes, "the object that was created first");
        checkEqual((await context.provider.stat(key))?.version, first.version, "its version");
      }
    },
  },
  {
    name: "a create after a delete succeeds",
    rule: 6,
    needs: ({ conditionalPut }) => conditionalPut,
    run: async (context) => {
      const key = `${context.prefix}again`;
      await context.put(key, someBytes(10, 112), { precondition: ABSENT });
      await context.provider.delete([key]);
      const bytes = someBytes(10, 113);
      await context.put(key, bytes, { precondition: ABSENT });
      checkBytes(await context.read(key), bytes, "the object that was created again");
    },
  },
  {
    name: "a replace with a stale version is refused and changes nothing",
    rule: 6,
    needs: ({ conditionalPut }) => conditionalPut,
    run: async (context) => {
      for (const size of [100, ...context.largeObjectBytes]) {
        const key = `${context.prefix}replaced-${size}`;
        const first = await context.put(key, someBytes(size, 114));
        const second = await context.put(key, someBytes(size, 115), { precondition: versionOf(first) });
        const kept = someBytes(size, 115);
        await context.rejects(
          () => context.put(key, someBytes(size, 116), { precondition: versionOf(first) }),
          "precondition_failed",
          "a replace with a stale version",
        );
        checkBytes(await context.read(key), kept, "the object after the refused replace");
        checkEqual((await context.provider.stat(key))?.version, second.version, "its version");
      }
    },
  },
  {
    name: "a version from stat, list and get is accepted as well as one from put",
    rule: 6,
    needs: ({ conditionalPut }) => conditionalPut,
    run: async (context) => {
      const key = `${context.prefix}sourced`;
      let turn = 0;
      const replaceWith = async (info: ObjectInfo | undefined, what: string): Promise<void> => {
        check(info !== undefined, `${what} reported the object missing`);
        const bytes = someBytes(50, 120 + ++turn);
        await context.put(key, bytes, { precondition: versionOf(info) });
        checkBytes(await context.read(key), bytes, `content after a replace with the version of ${what}`);
      };
      await replaceWith(await context.put(key, someBytes(50, 120)), "put");
      await replaceWith(await context.provider.stat(key), "stat");
      const content = await context.provider.get(key);
      await content?.body.cancel();
      await replaceWith(content, "get");
      for await (const info of context.provider.list(key)) await replaceWith(info, "list");
      checkEqual(turn, 4, "replaces made");
    },
  },
  {
    name: "a replace of what is not there is refused",
    rule: 6,
    needs: ({ conditionalPut }) => conditionalPut,
    run: async (context) => {
      const key = `${context.prefix}vanished`;
      const info = await context.put(key, someBytes(10, 130));
      await context.provider.delete([key]);
      await context.rejects(
        () => context.put(key, someBytes(10, 131), { precondition: versionOf(info) }),
        "precondition_failed",
        "a replace of a deleted object",
      );
      check((await context.provider.stat(key)) === undefined, "the refused replace stored something");
    },
  },
  {
    name: "a condition that holds does not excuse wrong bytes",
    rule: 6,
    needs: ({ conditionalPut }) => conditionalPut,
    run: async (context) => {
      const key = `${context.prefix}wrong`;
      const foreign = context.sha256(someBytes(11, 132));
      await context.rejects(
        () => context.put(key, someBytes(10, 133), { precondition: ABSENT, sha256: foreign }),
        "content_mismatch",
        "a create with wrong bytes",
      );
      check((await context.provider.stat(key)) === undefined, "a create with wrong bytes stored something");
    },
  },
  {
    name: "of many writers that create one key at once, one wins",
    rule: 6,
    needs: ({ conditionalPut }) => conditionalPut,
    run: async (context) => {
      for (let round = 0; round < 5; round++) await race(context, `${context.prefix}race-${round}`, ABSENT, round);
    },
  },
  {
    name: "of many writers that replace one version at once, one wins",
    rule: 6,
    needs: ({ conditionalPut }) => conditionalPut,
    run: async (context) => {
      const key = `${context.prefix}swap`;
      let info = await context.put(key, someBytes(40, 140));
      for (let round = 0; round < 5; round++) info = await race(context, key, versionOf(info), round);
    },
  },
  {
    name: "a store without conditional writes refuses a condition, never ignores it",
    rule: 6,
    needs: ({ conditionalPut }) => !conditionalPut,
    run: async (context) => {
      const key = `${context.prefix}unsupported`;
      await context.rejects(
        () => context.put(key, someBytes(10, 141), { precondition: ABSENT }),
        "provider_unsupported",
        "a put with a condition",
      );
      check((await context.provider.stat(key)) === undefined, "the refused put stored something");
    },
  },
];

function versionOf(info: ObjectInfo): Precondition {
  return { kind: "version", version: info.version };
}

/**
 * Writers on two machines with contents of one size; one must win, and its content must be what is there. Each race has
 * contents of its own: a version may be made of the content (S3's ETag), and writing what is there changes neither.
 */
async function race(
  context: ConformanceContext,
  key: string,
  precondition: Precondition,
  raceNumber: number,
): Promise<ObjectInfo> {
  const machines = [context.provider, await context.openAnother()];
  const contents = Array.from({ length: WRITERS }, (_, n) => someBytes(40, 150 + raceNumber * WRITERS + n));
  const winners: { info: ObjectInfo; bytes: Uint8Array }[] = [];
  const write = async (bytes: Uint8Array, by: Provider): Promise<boolean> => {
    try {
      winners.push({ info: await context.put(key, bytes, { precondition, by, source: sourceOf(bytes) }), bytes });
      return true;
    } catch (error) {
      const failure = await context.rejects(() => Promise.reject(error), "precondition_failed", "a writer that lost");
      return !failure.retryable;
    }
  };
  let judged: boolean[] = [];
  for (let round = 0; round < ROUNDS_MAX && !judged.includes(true); round++) {
    judged = await Promise.all(contents.map((bytes, n) => write(bytes, machines[n % 2] ?? context.provider)));
  }
  checkEqual(winners.length, 1, `winners of ${WRITERS} writers`);
  const [winner] = winners;
  check(winner !== undefined, "nobody won");
  checkBytes(await context.read(key), winner.bytes, "the winner's content");
  checkEqual((await context.provider.stat(key))?.version, winner.info.version, "the winner's version");
  return winner.info;
}
