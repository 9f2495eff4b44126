import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { someBytes, sourceOf } from "../../../src/providers/conformance/sources.ts";
import { S3_LIMITS } from "../../../src/providers/s3/limits.ts";
import { partBytesFor, planParts } from "../../../src/providers/s3/part-plan.ts";
import type { ScriptedFault } from "../../services/s3/s3-faults.ts";
import { bytesOf, sha256Of, utf8 } from "../../support/contents.ts";
import { MIB, put, setUpS3 } from "./s3-setup.ts";

const { server, bucket, open } = await setUpS3();
const content = someBytes(10_000, 1);

function operationsSince(start: number): string[] {
  return server.seen.slice(start).map((request) => request.operation);
}

async function fails(key: string, fault: ScriptedFault): Promise<unknown> {
  const error = await put(open(), key, content).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(fault.fired).toBeGreaterThan(0);
  fault.remove();
  expect(bucket.objects.has(key)).toBe(false);
  expect(bucket.uploads.size).toBe(0);
  return error;
}

test("an object in parts is whole, has its hash as metadata, and each part was signed for its own bytes", async () => {
  const start = server.seen.length;
  await put(open(), "whole", content);
  expect(bucket.objects.get("whole")?.bytes).toEqual(Buffer.from(content));
  expect(bucket.objects.get("whole")?.traits["x-amz-meta-sha256"]).toBe(sha256Of(content));
  const parts = server.seen.slice(start).filter((request) => request.operation === "UploadPart");
  const expected = Array.from({ length: 10 }, (_, n) => sha256Of(content.subarray(n * 1024, (n + 1) * 1024)));
  expect(new Set(parts.map((part) => part.headers["x-amz-content-sha256"]))).toEqual(new Set(expected));
});

test("content that is not what was hashed is never completed, and the upload is removed", async () => {
  const start = server.seen.length;
  const lie = open().put("lie", sourceOf(content), { sha256: sha256Of(utf8("else")) });
  await expect(lie).rejects.toMatchObject({ code: "content_mismatch", retryable: false });
  expect(operationsSince(start)).not.toContain("CompleteMultipartUpload");
  expect(operationsSince(start).at(-1)).toBe("AbortMultipartUpload");
  expect(bucket.uploads.size).toBe(0);
});

describe("an upload is removed, nothing is visible and the error is the first one when", () => {
  test("a part is refused", async () => {
    const fault = server.faults.add("UploadPart", { kind: "answer", reply: { status: 503 } }, { nth: 3 });
    expect(await fails("refused", fault)).toMatchObject({ code: "provider_unavailable" });
  });

  test("a part is damaged on its way", async () => {
    const fault = server.faults.add("UploadPart", { kind: "damage" }, { nth: 2 });
    expect(await fails("damaged", fault)).toMatchObject({ code: "content_mismatch", retryable: true });
  });

  test("a part's connection breaks", async () => {
    const fault = server.faults.add("UploadPart", { kind: "reset" }, { nth: 10, times: Infinity });
    expect(await fails("broken", fault)).toMatchObject({ code: "provider_unreachable" });
  });

  test("the completion is refused", async () => {
    const fault = server.faults.add("CompleteMultipartUpload", { kind: "answer", reply: { status: 500 } });
    expect(await fails("completion", fault)).toMatchObject({ code: "provider_unavailable" });
  });

  test("the completion answers 200 with an error inside", async () => {
    const body = '<?xml version="1.0"?>\n\n  <Error><Code>InternalError</Code></Error>';
    const fault = server.faults.add("CompleteMultipartUpload", { kind: "answer", reply: { status: 200, body } });
    expect(await fails("inside", fault)).toMatchObject({ code: "provider_unavailable", retryable: true });
  });

  test("the store has forgotten the upload: a repeat starts anew", async () => {
    const fault = server.faults.add("UploadPart", { kind: "before", run: () => bucket.uploads.clear() }, { nth: 4 });
    expect(await fails("forgotten", fault)).toMatchObject({ code: "provider_error", retryable: true });
  });

  test("the caller aborts", async () => {
    const controller = new AbortController();
    const fault = server.faults.add("UploadPart", { kind: "after", run: () => controller.abort() }, { nth: 3 });
    const aborted = put(open(), "aborted", content, { signal: controller.signal });
    await expect(aborted).rejects.toMatchObject({ code: "aborted" });
    expect(fault.fired).toBe(1);
    expect(bucket.uploads.size).toBe(0);
  });
});

test("a store that does not take the removal either does not hide the first error or hang the caller", async () => {
  const part = server.faults.add("UploadPart", { kind: "answer", reply: { status: 403 } });
  const removal = server.faults.add("AbortMultipartUpload", { kind: "hang" });
  const failing = put(open({}, { abortMs: 50 }), "stuck", content);
  await expect(failing).rejects.toMatchObject({ code: "provider_denied" });
  expect([part.fired, removal.fired]).toEqual([1, 1]);
  bucket.uploads.clear();
});

test("a completion whose answer was lost is found out from the object, not sent again", async () => {
  const fault = server.faults.add("CompleteMultipartUpload", { kind: "reset", applied: true });
  const info = await put(open(), "lost-answer", content);
  expect(fault.fired).toBe(1);
  expect(info.version).toBe(bucket.objects.get("lost-answer")?.etag ?? "");
});

test("an object replaced by another writer right after its completion is no failure", async () => {
  const replace = () => void bucket.put("replaced", { bytes: utf8("other"), etag: "x", traits: {} });
  const fault = server.faults.add("CompleteMultipartUpload", { kind: "after", run: replace });
  const info = await put(open(), "replaced", content);
  expect(fault.fired).toBe(1);
  expect(info.size).toBe(content.length);
});

test("a source that fills memory it is given gets it again without a part's bytes in another", async () => {
  const source = {
    size: content.length,
    open: async () => ({
      read: () => Promise.reject(new Error("the source was not asked to fill memory")),
      readInto: async (offset: number, into: Uint8Array) => into.set(content.subarray(offset, offset + into.length)),
      close: async () => undefined,
    }),
  };
  const provider = open({}, { partsAtOnce: 3 });
  for (const key of ["filled-1", "filled-2"]) await provider.put(key, source, { sha256: sha256Of(content) });
  const read = await provider.get("filled-2");
  expect(read === undefined ? undefined : await bytesOf(read.body)).toEqual(content);
});

test("memory that a source handed out stays the source's", async () => {
  const own = someBytes(5_000, 8);
  const asMade = own.slice();
  const viewing = {
    size: own.length,
    open: async () => ({
      read: async (offset: number, length: number) => own.subarray(offset, offset + length),
      close: async () => undefined,
    }),
  };
  const filling = {
    size: content.length,
    open: async () => ({
      read: () => Promise.reject(new Error("the source was not asked to fill memory")),
      readInto: async (offset: number, into: Uint8Array) => into.set(content.subarray(offset, offset + into.length)),
      close: async () => undefined,
    }),
  };
  const provider = open();
  await provider.put("viewed", viewing, { sha256: sha256Of(asMade) });
  await provider.put("filled", filling, { sha256: sha256Of(content) });
  expect(own).toEqual(asMade);
});

test("a part that fails ends the others at once, also one that hangs", async () => {
  const hanging = server.faults.add("UploadPart", { kind: "hang" });
  const failing = server.faults.add("UploadPart", { kind: "answer", reply: { status: 403 } });
  await expect(put(open(), "ended", content)).rejects.toMatchObject({ code: "provider_denied" });
  expect([hanging.fired, failing.fired]).toEqual([1, 1]);
});

test("memory is bounded for all uploads together", async () => {
  let held = 0;
  let most = 0;
  const source = (size: number) => ({
    size,
    open: async () => ({
      read: async (offset: number, length: number) => {
        held += length;
        most = Math.max(most, held);
        return content.slice(offset, offset + length);
      },
      close: async () => undefined,
    }),
  });
  const provider = open({}, { bytesInFlightMax: 4096 });
  const onBytes = (bytes: number): void => void (held -= bytes);
  await Promise.all(
    Array.from({ length: 8 }, (_, n) =>
      provider.put(`m${n}`, source(content.length), { sha256: sha256Of(content), onBytes }),
    ),
  );
  expect(held).toBe(0);
  expect(most).toBeGreaterThan(2048);
  expect(most).toBeLessThanOrEqual(4096);
});

describe("a plan of parts", () => {
  const sizes = fc.oneof(fc.integer({ min: 1, max: 100 * MIB }), fc.integer({ min: 1, max: S3_LIMITS.objectBytesMax }));

  test("has at most 10,000 parts of at least 5 MiB and at most 5 GiB for every size S3 takes", () => {
    fc.assert(
      fc.property(sizes, (size) => {
        const partBytes = partBytesFor(size, S3_LIMITS);
        return Math.ceil(size / partBytes) <= 10_000 && partBytes >= 5 * MIB && partBytes <= 5 * 1024 * MIB;
      }),
    );
  });

  test("covers the object exactly, in order", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 1, max: 3_000 }), (size, partBytes) => {
        let end = 0;
        let number = 0;
        for (const part of planParts(size, partBytes)) {
          expect(part).toMatchObject({ number: ++number, offset: end });
          end += part.size;
        }
        expect(end).toBe(size);
      }),
    );
  });

  test("stays within the 1,000 parts of smaller stores up to 62 GiB", () => {
    const size = 62 * 1024 * MIB;
    expect(Math.ceil(size / partBytesFor(size, S3_LIMITS))).toBeLessThanOrEqual(1_000);
  });
});
