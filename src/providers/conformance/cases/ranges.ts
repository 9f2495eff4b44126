import type { ConformanceCase, ConformanceContext } from "../conformance-case.ts";
import { readBody } from "../context.ts";
import { check, checkBytes, checkEqual } from "../expect.ts";
import { someBytes } from "../sources.ts";

const SIZE = 100_000;

/** Ranges of `get`: offset, length (undefined: to the end), and the bytes they mean of SIZE. */
const RANGES: readonly (readonly [offset: number, length: number | undefined, from: number, to: number])[] = [
  [0, 1, 0, 1],
  [0, SIZE, 0, SIZE],
  [0, undefined, 0, SIZE],
  [1, 1, 1, 2],
  [4_095, 2, 4_095, 4_097],
  [50_000, 10, 50_000, 50_010],
  [50_000, undefined, 50_000, SIZE],
  [SIZE - 1, 1, SIZE - 1, SIZE],
  [SIZE - 1, undefined, SIZE - 1, SIZE],
  [SIZE - 10, 1_000, SIZE - 10, SIZE],
  [SIZE, undefined, SIZE, SIZE],
  [SIZE, 1, SIZE, SIZE],
  [SIZE * 2, 5, SIZE, SIZE],
  [SIZE * 2, undefined, SIZE, SIZE],
  [7, 0, 7, 7],
];

/** Promise 1 for parts: a range is exactly the bytes it names. */
export const rangeCases: readonly ConformanceCase[] = [
  {
    name: "a range is exactly the bytes it names, also over and past the end",
    rule: 1,
    run: async (context) => {
      const key = `${context.prefix}ranged`;
      const bytes = someBytes(SIZE, 40);
      const { version } = await context.put(key, bytes);
      for (const [offset, length, from, to] of RANGES) {
        const what = `range of ${length ?? "all"} from ${offset}`;
        const content = await context.provider.get(key, {
          range: length === undefined ? { offset } : { offset, length },
        });
        check(content !== undefined, `${what}: the object was reported missing`);
        checkBytes(await readBody(content.body), bytes.subarray(from, to), what);
        checkEqual(content.size, SIZE, `${what}: size of the whole object`);
        checkEqual(content.version, version, `${what}: version`);
      }
    },
  },
  {
    name: "a range of an empty object is empty",
    rule: 1,
    run: async (context) => {
      const key = `${context.prefix}empty`;
      await context.put(key, new Uint8Array());
      for (const range of [{ offset: 0 }, { offset: 0, length: 10 }, { offset: 5 }]) {
        const content = await context.provider.get(key, { range });
        check(content !== undefined, "an empty object was reported missing");
        checkEqual((await readBody(content.body)).length, 0, `bytes of an empty object from ${range.offset}`);
      }
    },
  },
  {
    name: "a large object reads back in ranges as it reads whole",
    rule: 1,
    run: async (context) => {
      const size = Math.max(...context.largeObjectBytes);
      const key = `${context.prefix}large`;
      const bytes = someBytes(size, 41);
      await context.put(key, bytes);
      const step = Math.ceil(size / 3);
      for (let offset = 0; offset < size; offset += step) await checkRange(context, key, bytes, offset, step);
    },
  },
  {
    name: "a body that is not read to its end can be dropped",
    rule: 1,
    run: async (context) => {
      const key = `${context.prefix}dropped`;
      const bytes = someBytes(Math.max(...context.largeObjectBytes), 42);
      await context.put(key, bytes);
      const content = await context.provider.get(key);
      check(content !== undefined, "the object was reported missing");
      const reader = content.body.getReader();
      await reader.read();
      await reader.cancel();
      checkBytes(await context.read(key), bytes, "the object after a dropped read");
    },
  },
];

async function checkRange(
  context: ConformanceContext,
  key: string,
  bytes: Uint8Array,
  offset: number,
  length: number,
): Promise<void> {
  const content = await context.provider.get(key, { range: { offset, length } });
  check(content !== undefined, "the object was reported missing");
  checkBytes(
    await readBody(content.body),
    bytes.subarray(offset, offset + length),
    `range of ${length} from ${offset}`,
  );
}
