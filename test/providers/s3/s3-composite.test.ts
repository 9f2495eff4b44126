/** What a store has made of the parts that it was sent, as far as its own ETag tells. */
import { expect, test } from "bun:test";
import { memoryRecords } from "../../../src/providers/conformance/memory-records.ts";
import { someBytes } from "../../../src/providers/conformance/sources.ts";
import type { Provider } from "../../../src/providers/contract.ts";
import { withRetry } from "../../../src/providers/retry.ts";
import { objectOf } from "../../services/s3/s3-store.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";
import { put, type S3Setup, setUpS3 } from "./s3-setup.ts";

const careless = await setUpS3({ quirks: { ignoresPartTags: true } });
const silent = await setUpS3({ quirks: { ignoresPartTags: true, completesWithoutEtag: true } });
const opaque = await setUpS3({ quirks: { opaquePartsTag: () => true } });
let hidesTags = false;
const changing = await setUpS3({ quirks: { opaquePartsTag: () => hidesTags } });
const content = someBytes(5_000, 1);

const patient = (provider: Provider): Provider => withRetry(provider, undefined, { clock: new VirtualClock() });
const completions = ({ server }: S3Setup): number =>
  server.seen.filter(({ operation }) => operation === "CompleteMultipartUpload").length;

/** What an earlier request, late on its way, leaves in place of the second part once all five are there. */
function overwriteSecondPart({ server, bucket }: S3Setup) {
  const run = () => {
    for (const { parts } of bucket.uploads.values()) parts.set(2, objectOf(new Uint8Array(1024)));
  };
  return server.faults.add("UploadPart", { kind: "after", run }, { nth: 5 });
}

test("an object of another part than was sent is noticed, and the upload starts anew", async () => {
  const provider = careless.open();
  await put(provider, "first", content);
  const fault = overwriteSecondPart(careless);
  const resume = memoryRecords();
  await expect(put(provider, "second", content, { resume })).rejects.toMatchObject({
    code: "provider_error",
    retryable: true,
  });
  expect(fault.fired).toBe(1);
  expect(await resume.load()).toEqual([]);
  expect(careless.bucket.uploads.size).toBe(0);
  await put(provider, "second", content, { resume });
  expect(careless.bucket.objects.get("second")?.bytes).toEqual(Buffer.from(content));
});

test("nor is it believed where only HEAD tells the ETag", async () => {
  const provider = silent.open();
  await put(provider, "first", content);
  const fault = overwriteSecondPart(silent);
  await expect(put(provider, "second", content)).rejects.toMatchObject({ code: "provider_error", retryable: true });
  expect(fault.fired).toBe(1);
});

test("nor is it believed when the answer to the completion was lost", async () => {
  const provider = patient(careless.open());
  await put(provider, "first", content);
  const fault = overwriteSecondPart(careless);
  const lost = careless.server.faults.add("CompleteMultipartUpload", { kind: "reset", applied: true });
  await put(provider, "lost", content, { resume: memoryRecords() });
  expect([fault.fired, lost.fired]).toEqual([1, 1]);
  expect(careless.bucket.objects.get("lost")?.bytes).toEqual(Buffer.from(content));
});

test("nor by the repeat that finds the object in place of its upload", async () => {
  const provider = patient(careless.open());
  await put(provider, "first", content);
  const fault = overwriteSecondPart(careless);
  const lost = careless.server.faults.add("CompleteMultipartUpload", { kind: "reset", applied: true });
  const blind = careless.server.faults.add("HeadObject", { kind: "answer", reply: { status: 503 } });
  await put(provider, "found", content, { resume: memoryRecords() });
  expect([fault.fired, lost.fired, blind.fired]).toEqual([1, 1, 1]);
  expect(careless.bucket.objects.get("found")?.bytes).toEqual(Buffer.from(content));
});

test("where ETags are no digests of the parts nothing is concluded from them", async () => {
  const provider = opaque.open();
  for (const key of ["a", "b", "c"]) await put(provider, key, content);
  expect(completions(opaque)).toBe(3);
  expect(opaque.bucket.objects.size).toBe(3);
});

test("a bucket that begins to encrypt with its own keys costs one upload more, and none fails", async () => {
  const provider = patient(changing.open());
  await put(provider, "before", content);
  hidesTags = true;
  for (const key of ["x", "y", "z"]) await put(provider, key, content, { resume: memoryRecords() });
  expect(completions(changing)).toBe(5);
  expect(changing.bucket.objects.size).toBe(4);
});

test("an object that is shorter than its parts is noticed where the store keeps no metadata", async () => {
  const { server, bucket, open } = opaque;
  const shorten = () => {
    const object = bucket.objects.get("short");
    if (object !== undefined) bucket.put("short", { ...object, traits: {}, bytes: object.bytes.slice(1024) });
  };
  const fault = server.faults.add("CompleteMultipartUpload", { kind: "after", run: shorten });
  await expect(put(open(), "short", content)).rejects.toMatchObject({ code: "provider_error", retryable: true });
  expect(fault.fired).toBe(1);
});
