import type { ErrorCode } from "../../../core/errors.ts";
import type { ConformanceCase, ConformanceContext } from "../conformance-case.ts";
import { check, checkBytes, checkEqual } from "../expect.ts";
import { type MemoryRecords, memoryRecords } from "../memory-records.ts";
import { someBytes, sourceOf } from "../sources.ts";

/** Promise 11: records help, and are never believed. A provider that keeps none passes by its other promises. */
export const resumingCases: readonly ConformanceCase[] = [
  {
    name: "a put that was cut off succeeds when it is repeated with its records, which are empty then",
    rule: 11,
    run: async (context) => {
      for (const size of context.largeObjectBytes) {
        const key = `${context.prefix}repeated-${size}`;
        const bytes = someBytes(size, 600);
        const records = await cutOff(context, key, bytes);
        let reported = 0;
        await context.put(key, bytes, { resume: records, onBytes: (count) => void (reported += count) });
        checkBytes(await context.read(key), bytes, "the object after the repeat");
        checkEqual(reported, size, "bytes that the repeat reported");
        checkEqual(records.all.length, 0, "records after the repeat");
      }
    },
  },
  {
    name: "other content under the key takes nothing from what a put that was cut off had sent",
    rule: 11,
    run: async (context) => {
      for (const size of context.largeObjectBytes) {
        const key = `${context.prefix}other-${size}`;
        const bytes = someBytes(size, 601);
        const records = await cutOff(context, key, bytes);
        const other = bytes.slice();
        other[0] = (other[0] ?? 0) ^ 1;
        await context.put(key, other, { resume: records });
        checkBytes(await context.read(key), other, "the object");
        checkEqual(records.all.length, 0, "records after the put");
      }
    },
  },
  {
    name: "what was sent of content that is not what was hashed is not completed by the rest of the right one",
    rule: 11,
    run: async (context) => {
      for (const size of context.largeObjectBytes) {
        const key = `${context.prefix}mixed-${size}`;
        const right = someBytes(size, 602);
        const wrong = right.slice();
        wrong[0] = (wrong[0] ?? 0) ^ 1;
        // A provider that looks at all of the content first refuses it.
        const records = await cutOff(context, key, wrong, context.sha256(right), ["aborted", "content_mismatch"]);
        await context.put(key, right, { resume: records });
        checkBytes(await context.read(key), right, "the object");
      }
    },
  },
  {
    name: "records that are none of the provider's own do no harm",
    rule: 11,
    run: async (context) => {
      const key = `${context.prefix}foreign`;
      const bytes = someBytes(Math.max(...context.largeObjectBytes), 603);
      const records = memoryRecords();
      await records.add({ upload_id: "none", number: 1, key, sha256: context.sha256(bytes), size: bytes.length });
      await context.put(key, bytes, { resume: records });
      checkBytes(await context.read(key), bytes, "the object");
    },
  },
];

/** A put that is aborted in the read that reaches past half of `bytes`; what it has recorded. */
async function cutOff(
  context: ConformanceContext,
  key: string,
  bytes: Uint8Array,
  sha256 = context.sha256(bytes),
  codes: readonly ErrorCode[] = ["aborted"],
): Promise<MemoryRecords> {
  const records = memoryRecords();
  const controller = new AbortController();
  const source = sourceOf(bytes, {
    beforeRead: ({ offset, length }) => {
      if (offset + length > bytes.length / 2) controller.abort();
    },
  });
  const put = () => context.put(key, bytes, { source, sha256, resume: records, signal: controller.signal });
  await context.rejects(put, codes, "a put aborted past its half");
  check((await context.provider.stat(key)) === undefined, "a put that was cut off has made an object");
  return records;
}
