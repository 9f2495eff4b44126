import { createHash } from "node:crypto";
import { describe, expect, test } from "bun:test";
import { sourceOf } from "../../../src/providers/conformance/sources.ts";
import { openS3Provider } from "../../../src/providers/s3/s3-provider.ts";
import { withRetry } from "../../../src/providers/retry.ts";
import { readS3Settings } from "../../../src/providers/s3/settings.ts";
import { bytesOf, sha256Of, utf8 } from "../../support/contents.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";
import { newHasher, put, setUpS3, SMALL_LIMITS } from "./s3-setup.ts";

const { server, bucket, open } = await setUpS3();
const rgw = await setUpS3({ quirks: { bareIfMatch: true } });

function lastHeaders(operation: string): Readonly<Record<string, string>> {
  return server.seen.findLast((request) => request.operation === operation)?.headers ?? {};
}

test("the request is signed for the manifest's hash and keeps it as metadata", async () => {
  const content = utf8("pixels");
  await put(open(), "art/a.png", content, { contentType: "image/png" });
  const headers = lastHeaders("PutObject");
  expect(headers["x-amz-content-sha256"]).toBe(sha256Of(content));
  expect(headers["content-type"]).toBe("image/png");
  expect(bucket.objects.get("art/a.png")?.traits["x-amz-meta-sha256"]).toBe(sha256Of(content));
});

test("bytes damaged on their way are refused by the store, and the put may be repeated", async () => {
  const fault = server.faults.add("PutObject", { kind: "damage" });
  await expect(put(open(), "damaged", utf8("pixels"))).rejects.toMatchObject({
    code: "content_mismatch",
    retryable: true,
  });
  expect(fault.fired).toBe(1);
  expect(bucket.objects.has("damaged")).toBe(false);
});

test("bytes that are not what was hashed never leave this machine", async () => {
  const before = server.seen.length;
  const lie = open().put("lie", sourceOf(utf8("new")), { sha256: sha256Of(utf8("old")) });
  await expect(lie).rejects.toMatchObject({ code: "content_mismatch", retryable: false });
  expect(server.seen.length).toBe(before);
});

test("an empty object is sent with its length", async () => {
  await put(open(), "empty", new Uint8Array(0));
  expect(lastHeaders("PutObject")["content-length"]).toBe("0");
  expect((await open().stat("empty"))?.size).toBe(0);
});

test("storage class, encryption and session token go with every kind of write", async () => {
  const provider = open({
    storage_class: "STANDARD_IA",
    sse: "aws:kms",
    sse_kms_key_id: "arn:key",
    aws_session_token: "token",
  });
  await put(provider, "small", utf8("x"));
  await put(provider, "large", new Uint8Array(3000));
  await provider.copy("small", "copied", {});
  for (const operation of ["PutObject", "CreateMultipartUpload", "CopyObject"]) {
    expect(lastHeaders(operation)).toMatchObject({
      "x-amz-storage-class": "STANDARD_IA",
      "x-amz-server-side-encryption": "aws:kms",
      "x-amz-server-side-encryption-aws-kms-key-id": "arn:key",
      "x-amz-security-token": "token",
    });
  }
});

test("AWS is given a SHA-256 to keep, of the object and of each part", async () => {
  const settings = { ...readS3Settings(server.settingsFor("studio")), isAws: true };
  const provider = openS3Provider(settings, { newHasher }, { limits: SMALL_LIMITS });
  const content = utf8("kept");
  await put(provider, "kept", content);
  expect(lastHeaders("PutObject")["x-amz-checksum-sha256"]).toBe(
    Buffer.from(sha256Of(content), "hex").toString("base64"),
  );
  await put(provider, "kept-parts", new Uint8Array(2500));
  expect(lastHeaders("CreateMultipartUpload")["x-amz-checksum-algorithm"]).toBe("SHA256");
  expect(lastHeaders("UploadPart")["x-amz-checksum-sha256"]).toBeString();
});

describe("a condition", () => {
  for (const [name, setup] of [
    ["AWS, which takes quotes or none", { open, bucket }],
    ["RGW, which takes no quotes", rgw],
  ] as const) {
    test(`with a version is understood by ${name}`, async () => {
      const provider = setup.open();
      const first = await put(provider, "swap", utf8("1"));
      const second = await put(provider, "swap", utf8("2"), {
        precondition: { kind: "version", version: first.version },
      });
      const stale = put(provider, "swap", utf8("3"), { precondition: { kind: "version", version: first.version } });
      await expect(stale).rejects.toMatchObject({ code: "precondition_failed", retryable: false });
      expect((await provider.stat("swap"))?.version).toBe(second.version);
    });

    test(`with the version of what is not there fails on ${name}`, async () => {
      const gone = put(setup.open(), "gone", utf8("x"), { precondition: { kind: "version", version: "0".repeat(32) } });
      await expect(gone).rejects.toMatchObject({ code: "precondition_failed" });
    });
  }

  test("keeps an object of any size in one request: stores do not honour it on multipart", async () => {
    await put(open(), "manifest", new Uint8Array(5000), { precondition: { kind: "absent" } });
    expect(server.seen.at(-1)?.operation).toBe("PutObject");
  });

  test("on more than one request can hold is refused, not dropped", async () => {
    const source = { ...sourceOf(new Uint8Array(0)), size: SMALL_LIMITS.conditionalPutBytesMax + 1 };
    const large = open().put("m", source, { sha256: sha256Of(utf8("")), precondition: { kind: "absent" } });
    await expect(large).rejects.toMatchObject({ code: "provider_unsupported" });
  });

  test("is refused where the store was found to ignore conditions", async () => {
    const settings = readS3Settings(server.settingsFor("studio"));
    const provider = openS3Provider(settings, { newHasher }, { conditionalPut: false });
    expect(provider.capabilities.conditionalPut).toBe(false);
    const refused = put(provider, "m", utf8("x"), { precondition: { kind: "absent" } });
    await expect(refused).rejects.toMatchObject({ code: "provider_unsupported" });
  });

  test("lost in a race that the store calls an internal error is told as lost", async () => {
    const provider = open();
    const { version } = await put(provider, "race", utf8("1"));
    await put(provider, "race", utf8("2"));
    const fault = server.faults.add("PutObject", { kind: "answer", reply: { status: 500 } });
    const lost = put(provider, "race", utf8("3"), { precondition: { kind: "version", version } });
    await expect(lost).rejects.toMatchObject({ code: "precondition_failed" });
    expect(fault.fired).toBe(1);
  });

  for (const [name, answer] of [
    ["an internal error", { kind: "answer", reply: { status: 500 }, applied: true }],
    ["a broken connection, after which the runtime sent it again", { kind: "reset", applied: true }],
  ] as const) {
    test(`whose own write was applied and answered by ${name} is known for its own`, async () => {
      const provider = open();
      for (const precondition of [
        { kind: "absent" },
        { kind: "version", version: createHash("md5").update("1").digest("hex") },
      ] as const) {
        await provider.stat("own");
        const fault = server.faults.add("PutObject", answer);
        const content = utf8(precondition.kind === "absent" ? "1" : "2");
        const info = await put(provider, "own", content, { precondition });
        expect(fault.fired).toBe(1);
        expect(info.version).toBe((await provider.stat("own"))?.version ?? "");
      }
      bucket.delete("own");
    });
  }

  test("whose own write was applied, sent again by the runtime and throttled then is known for its own", async () => {
    const provider = open();
    await provider.stat("throttled");
    const lost = server.faults.add("PutObject", { kind: "reset", applied: true });
    const busy = server.faults.add("PutObject", { kind: "answer", reply: { status: 429 } });
    const info = await put(provider, "throttled", utf8("x"), { precondition: { kind: "absent" } });
    expect([lost.fired, busy.fired]).toEqual([1, 1]);
    expect(info.version).toBe((await provider.stat("throttled"))?.version ?? "");
  });

  test("is no conflict with itself either where the look at the object is throttled as well", async () => {
    const provider = withRetry(open(), undefined, { clock: new VirtualClock() });
    await provider.stat("busy");
    const faults = [
      server.faults.add("PutObject", { kind: "reset", applied: true }),
      server.faults.add("PutObject", { kind: "answer", reply: { status: 429 } }),
      server.faults.add("HeadObject", { kind: "answer", reply: { status: 429 } }),
    ];
    const info = await put(provider, "busy", utf8("x"), { precondition: { kind: "absent" } });
    expect(faults.map(({ fired }) => fired)).toEqual([1, 1, 1]);
    expect(info.version).toBe((await provider.stat("busy"))?.version ?? "");
  });

  test("that was throttled before it was stored may be repeated", async () => {
    const fault = server.faults.add("PutObject", { kind: "answer", reply: { status: 429 } });
    const refused = put(open(), "later", utf8("x"), { precondition: { kind: "absent" } });
    await expect(refused).rejects.toMatchObject({ code: "provider_throttled", retryable: true });
    expect(fault.fired).toBe(1);
  });

  test("is not taken for one's own because another writer wrote the same content", async () => {
    await put(open(), "same", utf8("x"), { precondition: { kind: "absent" } });
    const second = put(open(), "same", utf8("x"), { precondition: { kind: "absent" } });
    await expect(second).rejects.toMatchObject({ code: "precondition_failed" });
  });

  test("that failed is not decided when the object cannot be looked at", async () => {
    await put(open(), "unseen", utf8("x"));
    const fault = server.faults.add("HeadObject", { kind: "answer", reply: { status: 503 } });
    const unseen = put(open(), "unseen", utf8("y"), { precondition: { kind: "absent" } });
    await expect(unseen).rejects.toMatchObject({ code: "provider_unavailable", retryable: true });
    expect(fault.fired).toBe(1);
  });
});

test("what was put is what is read, through odd keys", async () => {
  for (const key of ["a b+c%2F?&#", "/lead//x/", "é😀'()*!~", "tab\tnl\n\u0001 "]) {
    await put(open(), key, utf8(key));
    const content = await open().get(key);
    expect(content === undefined ? undefined : new TextDecoder().decode(await bytesOf(content.body))).toBe(key);
  }
});
