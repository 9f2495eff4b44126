import { expect, test } from "bun:test";
import { memoryRecords } from "../../../src/providers/conformance/memory-records.ts";
import { someBytes } from "../../../src/providers/conformance/sources.ts";
import { put, setUpS3 } from "./s3-setup.ts";

const { server, bucket, open } = await setUpS3({ quirks: { goneUploadIsNoSuchKey: true } });

test("an upload that was complete before its answer was lost is not sent again where the store calls it a missing key", async () => {
  const content = someBytes(10_000, 1);
  const resume = memoryRecords();
  const lost = server.faults.add("CompleteMultipartUpload", { kind: "reset", applied: true });
  const unseen = server.faults.add("HeadObject", { kind: "answer", reply: { status: 503 } });
  await expect(put(open(), "film", content, { resume })).rejects.toMatchObject({ retryable: true });
  expect([lost.fired, unseen.fired]).toEqual([1, 1]);
  server.seen.length = 0;
  await put(open(), "film", content, { resume });
  expect(server.seen.map((request) => request.operation)).toEqual(["ListParts", "HeadObject"]);
  expect(bucket.objects.get("film")?.bytes).toEqual(Buffer.from(content));
});
