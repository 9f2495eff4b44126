import { describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { someBytes } from "../../../src/providers/conformance/sources.ts";
import { bytesOf } from "../../support/contents.ts";
import { withRetry } from "../../../src/providers/retry.ts";
import { objectOf } from "../../services/s3/s3-store.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";
import { put, setUpS3 } from "./s3-setup.ts";

const { server, bucket, open } = await setUpS3();
const content = someBytes(100_000, 5);
await put(open({}, { singlePutBytesMax: 1e6 }), "object", content);

const chunked = await setUpS3({ quirks: { hidesLengthOf: ["GetObject"] } });
const blind = await setUpS3({ quirks: { hidesLengthOf: ["GetObject", "HeadObject"] } });
for (const { bucket: its } of [chunked, blind]) its.put("object", objectOf(content));

async function readAll(provider = open()): Promise<Uint8Array | undefined> {
  const read = await provider.get("object");
  return read === undefined ? undefined : await bytesOf(read.body);
}

describe("a body never looks whole when", () => {
  test("the connection breaks in it", async () => {
    const fault = server.faults.add("GetObject", { kind: "half", reset: true });
    await expect(readAll()).rejects.toMatchObject({ code: "provider_unreachable", retryable: true });
    expect(fault.fired).toBe(1);
  });

  test("it stops coming", async () => {
    const fault = server.faults.add("GetObject", { kind: "half", reset: false });
    await expect(readAll(open({}, { idleMs: 100 }))).rejects.toMatchObject({
      code: "provider_timeout",
      retryable: true,
    });
    expect(fault.fired).toBe(1);
  });

  test("the store answers a range with another one", async () => {
    const headers = { etag: '"e"', "content-range": "bytes 0-9/100" };
    const reply = { status: 206, headers, body: "0123456789" };
    const fault = server.faults.add("GetObject", { kind: "answer", reply });
    const read = open().get("object", { range: { offset: 10, length: 10 } });
    await expect(read).rejects.toMatchObject({ code: "provider_unsupported" });
    expect(fault.fired).toBe(1);
  });

  test("the store sends less of a range than it announces", async () => {
    const headers = { etag: '"e"', "content-range": "bytes 0-9/100" };
    const fault = server.faults.add("GetObject", { kind: "answer", reply: { status: 206, headers, body: "01234" } });
    const read = await open().get("object", { range: { offset: 0, length: 10 } });
    await expect(bytesOf(read!.body)).rejects.toMatchObject({ code: "provider_error", retryable: true });
    expect(fault.fired).toBe(1);
  });

  test("the store answers a range with the whole object", async () => {
    const fault = server.faults.add("GetObject", {
      kind: "answer",
      reply: { status: 200, headers: { etag: '"e"' }, body: "whole" },
    });
    const read = open().get("object", { range: { offset: 1, length: 2 } });
    await expect(read).rejects.toMatchObject({ code: "provider_unsupported" });
    expect(fault.fired).toBe(1);
  });
});

describe("behind a proxy that passes answers on in chunks", () => {
  test("an object is read whole, its size known before", async () => {
    const read = await chunked.open().get("object");
    expect(read).toMatchObject({ size: content.length });
    expect(read === undefined ? undefined : await bytesOf(read.body)).toEqual(content);
  });

  test("a body that ends early does not look whole", async () => {
    chunked.bucket.put("cut", objectOf(content));
    const fault = chunked.server.faults.add("GetObject", {
      kind: "answer",
      reply: { status: 200, headers: { etag: `"${objectOf(content).etag}"` }, body: content.slice(1) },
    });
    const read = await chunked.open().get("cut");
    await expect(bytesOf(read!.body)).rejects.toMatchObject({ code: "provider_error", retryable: true });
    expect(fault.fired).toBe(1);
  });

  test("an object that is replaced before its size is known is not mixed with its successor", async () => {
    chunked.bucket.put("replaced", objectOf(content));
    const replace = () => void chunked.bucket.put("replaced", objectOf(content.slice(1)));
    const fault = chunked.server.faults.add("GetObject", { kind: "after", run: replace });
    await expect(chunked.open().get("replaced")).rejects.toMatchObject({ code: "provider_error", retryable: true });
    expect(fault.fired).toBe(1);
  });

  test("without any size it is refused at once, and not tried again for half a minute", async () => {
    const clock = new VirtualClock();
    const provider = withRetry(blind.open(), undefined, { clock });
    await expect(provider.get("object")).rejects.toMatchObject({ code: "provider_error", retryable: false });
    await expect(provider.stat("object")).rejects.toMatchObject({ code: "provider_error", retryable: false });
    expect(clock.slept).toEqual([]);
  });
});

test("an object that another tool stored with a Content-Encoding is read as it is stored", async () => {
  const stored = gzipSync("by another tool");
  bucket.put("encoded", { bytes: stored, etag: "e", traits: { "content-encoding": "gzip" } });
  const read = await open().get("encoded");
  expect(read === undefined ? undefined : Buffer.from(await bytesOf(read.body))).toEqual(stored);
});

describe("a 404 without a body", () => {
  test("is a missing key when the bucket is there", async () => {
    expect(await open().stat("missing")).toBeUndefined();
    expect(server.seen.slice(-2).map((request) => request.operation)).toEqual(["HeadObject", "HeadBucket"]);
  });

  test("is a missing bucket when it is not", async () => {
    await expect(open({ bucket: "nowhere" }).stat("missing")).rejects.toMatchObject({
      code: "provider_container_missing",
    });
  });

  test("is neither when the bucket cannot be seen", async () => {
    const fault = server.faults.add("HeadBucket", { kind: "answer", reply: { status: 403 } });
    await expect(open().stat("missing")).rejects.toMatchObject({ code: "provider_denied" });
    expect(fault.fired).toBe(1);
  });
});

test("a 404 page of something that is no S3 store is no missing object", async () => {
  const page = { kind: "answer", reply: { status: 404, body: "<html>not found</html>" } } as const;
  const faults = [server.faults.add("GetObject", page), server.faults.add("HeadBucket", page)];
  await expect(open().get("object")).rejects.toMatchObject({ code: "provider_container_missing" });
  expect(faults.map((fault) => fault.fired)).toEqual([1, 1]);
});

test("an answer without an ETag is no object", async () => {
  const fault = server.faults.add("HeadObject", { kind: "answer", reply: { status: 200 } });
  await expect(open().stat("object")).rejects.toMatchObject({ code: "provider_error" });
  expect(fault.fired).toBe(1);
});

test("a range that means nothing is refused before it is sent", async () => {
  for (const range of [{ offset: -1 }, { offset: 0.5 }, { offset: 0, length: -1 }, { offset: Number.NaN }]) {
    await expect(open().get("object", { range })).rejects.toMatchObject({ code: "bad_request" });
  }
});

test("an abort while the body is read ends it", async () => {
  const controller = new AbortController();
  await put(open({}, { singlePutBytesMax: 1e8 }), "long", new Uint8Array(20_000_000));
  const read = await open().get("long", { signal: controller.signal });
  const reader = read?.body.getReader();
  await reader?.read();
  controller.abort();
  const rest = async () => {
    for (let part = await reader?.read(); part?.done === false; part = await reader?.read());
  };
  await expect(rest()).rejects.toMatchObject({ code: "aborted" });
});
