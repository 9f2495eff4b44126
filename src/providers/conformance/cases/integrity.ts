import { type ErrorCode, SyncError } from "../../../core/errors.ts";
import type { ByteSource } from "../../contract.ts";
import type { ConformanceCase, ConformanceContext } from "../conformance-case.ts";
import { check, checkBytes, checkEqual } from "../expect.ts";
import { someBytes, sourceOf } from "../sources.ts";

/** Where hash blocks, pages, pipes and the usual buffers end. */
const BORDER_SIZES = [
  0, 1, 63, 64, 65, 4095, 4096, 4097, 65_535, 65_536, 65_537, 262_144, 262_145, 1_048_575, 1_048_576, 1_048_577,
];
const SMALL_BYTES = 10_000;
const NOT_WHAT_WAS_HASHED: readonly ErrorCode[] = ["content_mismatch", "file_changed"];

/** Promise 1: exactly the bytes of the SHA-256, or nothing. */
export const integrityCases: readonly ConformanceCase[] = [
  {
    name: "bytes are exact at every size where a buffer ends",
    rule: 1,
    run: async (context) => {
      for (const size of BORDER_SIZES) await roundTrip(context, `size-${size}`, someBytes(size, size + 1));
    },
  },
  {
    name: "bytes are exact at the sizes where the way of sending changes",
    rule: 1,
    run: async (context) => {
      for (const size of context.largeObjectBytes) await roundTrip(context, `size-${size}`, someBytes(size, size));
    },
  },
  {
    name: "bytes that do not have the promised SHA-256 are refused, and nothing is stored",
    rule: 1,
    run: async (context) => {
      const wrong = context.sha256(new TextEncoder().encode("other content"));
      for (const size of sizesOf(context)) {
        await refuses(
          context,
          sourceOf(someBytes(size, 3)),
          wrong,
          ["content_mismatch"],
          `${size} bytes under a foreign SHA-256`,
        );
      }
    },
  },
  {
    name: "one flipped bit is noticed, and nothing is stored",
    rule: 1,
    run: async (context) => {
      for (const size of sizesOf(context).filter((bytes) => bytes > 0)) {
        const bytes = someBytes(size, 4);
        const sha256 = context.sha256(bytes);
        const flipped = bytes.slice();
        flipped[size - 1] = (bytes[size - 1] ?? 0) ^ 1;
        await refuses(
          context,
          sourceOf(flipped),
          sha256,
          ["content_mismatch"],
          `${size} bytes with the last bit flipped`,
        );
      }
    },
  },
  {
    name: "a refused overwrite leaves the old object whole",
    rule: 1,
    run: async (context) => {
      const key = `${context.prefix}kept`;
      const old = someBytes(SMALL_BYTES, 5);
      const before = await context.put(key, old);
      for (const size of sizesOf(context)) {
        const put = () => context.put(key, someBytes(size, 6), { sha256: context.sha256(someBytes(size + 1, 6)) });
        await context.rejects(put, "content_mismatch", `overwriting with ${size} wrong bytes`);
        checkBytes(await context.read(key), old, `the old object after ${size} wrong bytes`);
        checkEqual((await context.provider.stat(key))?.version, before.version, "version of the old object");
      }
    },
  },
  {
    name: "a source that ends before its size stores nothing, whether it says so or not",
    rule: 1,
    run: async (context) => {
      for (const size of sizesOf(context)) {
        for (const shortSilently of [false, true]) {
          const bytes = someBytes(size, 7);
          const source = sourceOf(bytes, { size: size + 1_000, shortSilently });
          await refuses(
            context,
            source,
            context.sha256(bytes),
            NOT_WHAT_WAS_HASHED,
            `${size} bytes of ${size + 1_000}`,
          );
        }
      }
    },
  },
  {
    name: "a source that has grown since it was hashed stores nothing",
    rule: 1,
    run: async (context) => {
      for (const size of sizesOf(context)) {
        const grown = someBytes(size + 1_000, 8);
        await refuses(
          context,
          sourceOf(grown, { size }),
          context.sha256(grown),
          NOT_WHAT_WAS_HASHED,
          `${size + 1_000} bytes announced as ${size}`,
        );
      }
    },
  },
  {
    name: "a source that changes while it is read stores nothing",
    rule: 1,
    run: async (context) => {
      for (const size of sizesOf(context)) {
        const bytes = someBytes(size, 9);
        let reads = 0;
        const source = sourceOf(bytes, { beforeRead: () => void (reads++ > 0 && bytes.fill(0)) });
        const sha256 = context.sha256(bytes);
        await settlesExactly(context, source, sha256, `${size} bytes that turn to zero after the first read`);
      }
    },
  },
  {
    name: "a source whose second opening has other bytes than its first never stores them",
    rule: 1,
    run: async (context) => {
      for (const size of sizesOf(context)) {
        const right = someBytes(size, 10);
        const wrong = someBytes(size, 11);
        for (const rightOpening of [1, 2]) {
          const source = sourceOf(right, { bytesOf: (opening) => (opening === rightOpening ? right : wrong) });
          await settlesExactly(
            context,
            source,
            context.sha256(right),
            `${size} bytes that are right at opening ${rightOpening} only`,
          );
        }
      }
    },
  },
  {
    name: "a source that fails in the middle ends the call with its own error and stores nothing",
    rule: 1,
    run: async (context) => {
      for (const size of sizesOf(context)) {
        const bytes = someBytes(size, 12);
        const source = sourceOf(bytes, { beforeRead: ({ offset, length }) => failAt(offset + length > size / 2) });
        await refuses(
          context,
          source,
          context.sha256(bytes),
          ["file_unreadable"],
          `${size} bytes with a disk error in the middle`,
        );
      }
    },
  },
  {
    name: "an opened source is closed however the call ends",
    rule: 1,
    run: async (context) => {
      for (const size of sizesOf(context)) {
        const bytes = someBytes(size, 13);
        const good = sourceOf(bytes);
        await context.put(`${context.prefix}closed-${size}`, bytes, { source: good });
        checkClosed(good.opened, good.closed, "a put that succeeds");
        const failing = sourceOf(bytes, { beforeRead: () => failAt(true) });
        await refuses(context, failing, context.sha256(bytes), ["file_unreadable"], "a source that fails");
        checkClosed(failing.opened, failing.closed, "a put whose source fails");
        const other = sourceOf(bytes);
        await refuses(context, other, context.sha256(someBytes(size, 14)), ["content_mismatch"], "a wrong SHA-256");
        checkClosed(other.opened, other.closed, "a put that is refused");
      }
    },
  },
  {
    name: "an overwrite by longer or shorter content leaves nothing of the old",
    rule: 1,
    run: async (context) => {
      const key = `${context.prefix}overwritten`;
      for (const [turn, size] of [10, 70_000, 3, 0, 1_000].entries()) {
        const bytes = someBytes(size, 20 + turn);
        await context.put(key, bytes);
        checkBytes(await context.read(key), bytes, `content after overwrite ${turn + 1}`);
      }
    },
  },
  {
    name: "a reader during overwrites sees one content whole, never a mixture",
    rule: 1,
    run: async (context) => {
      const key = `${context.prefix}contended`;
      const contents = [someBytes(200_000, 30), someBytes(90_000, 31)];
      await context.put(key, contents[0] ?? new Uint8Array());
      const writing = (async () => {
        for (let turn = 1; turn <= 12; turn++) await context.put(key, contents[turn % 2] ?? new Uint8Array());
      })();
      const reading = (async () => {
        for (let turn = 0; turn < 24; turn++) await checkOneOf(context, key, contents);
      })();
      await Promise.all([writing, reading]);
    },
  },
];

function sizesOf(context: ConformanceContext): number[] {
  return [SMALL_BYTES, ...context.largeObjectBytes];
}

async function roundTrip(context: ConformanceContext, name: string, bytes: Uint8Array): Promise<void> {
  const key = `${context.prefix}${name}`;
  const info = await context.put(key, bytes);
  checkEqual(info.size, bytes.length, `size that put of ${name} returns`);
  checkEqual((await context.provider.stat(key))?.size, bytes.length, `size of ${name}`);
  checkBytes(await context.read(key), bytes, name);
}

/** The put must fail with one of `codes`, and its key must not exist. */
async function refuses(
  context: ConformanceContext,
  source: ByteSource,
  sha256: string,
  codes: readonly ErrorCode[],
  what: string,
): Promise<void> {
  const key = `${context.prefix}refused`;
  await context.rejects(() => context.put(key, new Uint8Array(), { source, sha256 }), codes, what);
  checkEqual((await context.provider.stat(key))?.size, undefined, `${what}: size of what was stored`);
}

/** The put may succeed, but then with exactly the bytes of `sha256`; if it fails its key must not exist. */
async function settlesExactly(
  context: ConformanceContext,
  source: ByteSource,
  sha256: string,
  what: string,
): Promise<void> {
  const key = `${context.prefix}settled`;
  const stored = await context.put(key, new Uint8Array(), { source, sha256 }).then(
    () => true,
    async (error: unknown) => {
      await context.rejects(() => Promise.reject(error), NOT_WHAT_WAS_HASHED, what);
      return false;
    },
  );
  const bytes = await context.read(key);
  if (stored)
    checkEqual(bytes === undefined ? undefined : context.sha256(bytes), sha256, `${what}: SHA-256 of what was stored`);
  else checkEqual(bytes?.length, undefined, `${what}: bytes stored by a put that failed`);
  await context.provider.delete([key]);
}

function failAt(now: boolean): void {
  if (now) throw new SyncError("file_unreadable", "the source cannot be read: input/output error");
}

function checkClosed(opened: number, closed: number, what: string): void {
  checkEqual(closed, opened, `${what}: sources closed of those opened`);
}

async function checkOneOf(context: ConformanceContext, key: string, contents: readonly Uint8Array[]): Promise<void> {
  const bytes = await context.read(key);
  check(bytes !== undefined, "an object that is being overwritten was reported missing");
  const whole = contents.some(
    (content) => content.length === bytes.length && context.sha256(content) === context.sha256(bytes),
  );
  check(whole, `a reader saw ${bytes.length} bytes that are neither the old content nor the new`);
}
