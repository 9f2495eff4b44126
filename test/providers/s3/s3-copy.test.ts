import { describe, expect, test } from "bun:test";
import { someBytes } from "../../../src/providers/conformance/sources.ts";
import { sha256Of, utf8 } from "../../support/contents.ts";
import { put, setUpS3 } from "./s3-setup.ts";

const setups = {
  "a store like AWS": await setUpS3(),
  "a store that ignores the source's version, like RGW": await setUpS3({
    quirks: { ignoresCopySourceIfMatch: true, bareIfMatch: true },
  }),
};

describe.each(Object.entries(setups))("on %s", (_name, { server, bucket, open }) => {
  test("a copy of a key with + and % is that key's content", async () => {
    const provider = open();
    await put(provider, "a+b %2B", utf8("right"));
    await put(provider, "a b %2B", utf8("wrong"));
    await provider.copy("a+b %2B", "copy of +", {});
    expect(bucket.objects.get("copy of +")?.bytes).toEqual(Buffer.from("right"));
  });

  test("a copy that is not all of its source is no copy", async () => {
    const provider = open();
    await put(provider, "whole", utf8("all of it"));
    const cut = () => void bucket.put("cut", { bytes: utf8("all"), etag: "cut", traits: {} });
    const fault = server.faults.add("HeadObject", { kind: "before", run: cut }, { key: "cut" });
    const body = "<CopyObjectResult><ETag>&quot;of-another-kind&quot;</ETag></CopyObjectResult>";
    const answer = server.faults.add("CopyObject", { kind: "answer", reply: { status: 200, body } });
    await expect(provider.copy("whole", "cut", {})).rejects.toMatchObject({ code: "provider_error", retryable: true });
    expect([fault.fired, answer.fired]).toEqual([1, 1]);
  });

  test("a large object is copied in parts with its type and hash", async () => {
    const content = someBytes(9_000, 2);
    await put(open(), "large", content, { contentType: "video/webm" });
    const start = server.seen.length;
    const info = await open().copy("large", "large-copy", {});
    expect(info.size).toBe(content.length);
    expect(bucket.objects.get("large-copy")?.bytes).toEqual(Buffer.from(content));
    expect(bucket.objects.get("large-copy")?.traits).toMatchObject({
      "content-type": "video/webm",
      "x-amz-meta-sha256": sha256Of(content),
    });
    const copies = server.seen.slice(start).filter((request) => request.operation === "UploadPartCopy");
    expect(copies).toHaveLength(9);
    expect(copies.reduce((sum, request) => sum + request.bytes, 0)).toBe(0);
  });

  for (const size of [10, 9_000]) {
    test(`a source of ${size} bytes that changes between the look and the copy is not copied as the old version`, async () => {
      const provider = open();
      const { version } = await put(provider, "moving", someBytes(size, 3));
      const change = () => void bucket.put("moving", { bytes: utf8("changed"), etag: "changed", traits: {} });
      const fault = server.faults.add(size > 2048 ? "CreateMultipartUpload" : "CopyObject", {
        kind: "before",
        run: change,
      });
      await expect(provider.copy("moving", "moved", { ifVersion: version })).rejects.toMatchObject({
        code: "precondition_failed",
      });
      expect(fault.fired).toBe(1);
      expect(bucket.objects.has("moved")).toBe(false);
      expect(bucket.uploads.size).toBe(0);
    });
  }

  test("a large source that changes meanwhile is never copied as a mixture, and the copy may be repeated", async () => {
    const provider = open();
    await put(provider, "shifting", someBytes(9_000, 3));
    const change = () => void bucket.put("shifting", { bytes: someBytes(9_000, 6), etag: "changed", traits: {} });
    const fault = server.faults.add("UploadPartCopy", { kind: "before", run: change }, { nth: 5 });
    await expect(provider.copy("shifting", "mixed", {})).rejects.toMatchObject({
      code: "precondition_failed",
      retryable: true,
    });
    expect(fault.fired).toBe(1);
    expect(bucket.objects.has("mixed")).toBe(false);
  });

  test("a source that is replaced after its copy was made does not undo it", async () => {
    const provider = open();
    const { version } = await put(provider, "later", utf8("old"));
    const change = () => void bucket.put("later", { bytes: utf8("new"), etag: "new", traits: {} });
    const fault = server.faults.add("CopyObject", { kind: "after", run: change });
    await provider.copy("later", "kept", { ifVersion: version });
    expect(fault.fired).toBe(1);
    expect(bucket.objects.get("kept")?.bytes).toEqual(utf8("old"));
  });

  test("a copy that answers 200 with an error inside has failed", async () => {
    await put(open(), "source", utf8("x"));
    const body = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>SlowDown</Code></Error>';
    const fault = server.faults.add("CopyObject", { kind: "answer", reply: { status: 200, body } });
    await expect(open().copy("source", "target", {})).rejects.toMatchObject({
      code: "provider_throttled",
      retryable: true,
    });
    expect(fault.fired).toBe(1);
  });

  test("a copy onto itself changes nothing and succeeds", async () => {
    const { version } = await put(open(), "self", utf8("x"));
    expect(await open().copy("self", "self", { ifVersion: version })).toEqual({ key: "self", size: 1, version });
  });

  test("a copy of an object made of parts has its own version, and is taken for good", async () => {
    const { version } = await put(open(), "two-parts", someBytes(1_500, 4));
    const copy = await open().copy("two-parts", "one-part", { ifVersion: version });
    expect(copy).toEqual({ key: "one-part", size: 1_500, version: bucket.objects.get("one-part")?.etag ?? "" });
  });
});

test("a store that looks at the source's version leaves the copy's old content when it has changed", async () => {
  const { server, bucket, open } = setups["a store like AWS"];
  const { version } = await put(open(), "from", utf8("expected"));
  await put(open(), "to", utf8("old"));
  const change = () => void bucket.put("from", { bytes: utf8("changed"), etag: "changed", traits: {} });
  const fault = server.faults.add("CopyObject", { kind: "before", run: change });
  const copy = open().copy("from", "to", { ifVersion: version });
  await expect(copy).rejects.toMatchObject({ code: "precondition_failed" });
  expect(fault.fired).toBe(1);
  expect(bucket.objects.get("to")?.bytes).toEqual(Buffer.from("old"));
});
