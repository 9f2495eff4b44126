import { beforeEach, describe, expect, test } from "bun:test";
import type { ErrorCode } from "../../../src/core/errors.ts";
import { SyncError } from "../../../src/core/errors.ts";
import { checkFlag } from "../../../src/providers/conformance/context.ts";
import type { ScriptedFault } from "../../services/s3/s3-faults.ts";
import { utf8 } from "../../support/contents.ts";
import { put, setUpS3 } from "./s3-setup.ts";

const { server, open } = await setUpS3();

let fault: ScriptedFault;

function answer(operation: string, status: number, body: string, headers: Readonly<Record<string, string>> = {}): void {
  fault = server.faults.add(operation, { kind: "answer", reply: { status, body, headers } });
}

function s3Error(code: string, more = ""): string {
  return `<?xml version="1.0"?><Error><Code>${code}</Code><Message>canary</Message>${more}</Error>`;
}

async function errorOf(call: Promise<unknown>): Promise<SyncError> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SyncError)) throw new Error("no SyncError was thrown");
  expect(fault.fired).toBe(1);
  checkFlag(error, "the error");
  expect(Bun.inspect(error, { depth: 9 })).not.toContain("canary");
  return error;
}

beforeEach(() => {
  server.createBucket("studio");
});

const CODES: readonly (readonly [status: number, s3Code: string, code: ErrorCode, retryable: boolean])[] = [
  [503, "SlowDown", "provider_throttled", true],
  [429, "TooManyRequests", "provider_throttled", true],
  [503, "ServiceUnavailable", "provider_unavailable", true],
  [500, "InternalError", "provider_unavailable", true],
  [409, "OperationAborted", "provider_unavailable", true],
  [400, "RequestTimeout", "provider_timeout", true],
  [400, "IncompleteBody", "provider_unreachable", true],
  [403, "AccessDenied", "provider_denied", false],
  [403, "InvalidAccessKeyId", "provider_denied", false],
  [403, "SignatureDoesNotMatch", "provider_denied", false],
  [400, "ExpiredToken", "provider_denied", false],
  [404, "NoSuchBucket", "provider_container_missing", false],
  [412, "PreconditionFailed", "precondition_failed", false],
  [409, "ConditionalRequestConflict", "precondition_failed", true],
  [400, "XAmzContentSHA256Mismatch", "content_mismatch", true],
  [400, "BadDigest", "content_mismatch", true],
  [400, "KeyTooLongError", "key_invalid", false],
  [400, "EntityTooLarge", "provider_unsupported", false],
  [403, "QuotaExceeded", "disk_full", false],
  [507, "XMinioStorageFull", "disk_full", false],
  [411, "MissingContentLength", "provider_error", false],
  [400, "InvalidStorageClass", "provider_config", false],
  [400, "ItsOwnInvention", "provider_error", false],
];

describe("a refusal by S3's own code", () => {
  for (const [status, s3Code, code, retryable] of CODES) {
    test(`${status} ${s3Code} is ${code}`, async () => {
      answer("PutObject", status, s3Error(s3Code));
      expect(await errorOf(put(open(), "k", utf8("x")))).toMatchObject({ code, retryable });
    });
  }
});

const STATUSES: readonly (readonly [status: number, code: ErrorCode])[] = [
  [401, "provider_denied"],
  [403, "provider_denied"],
  [405, "provider_unsupported"],
  [408, "provider_timeout"],
  [413, "provider_unsupported"],
  [418, "provider_error"],
  [429, "provider_throttled"],
  [500, "provider_unavailable"],
  [501, "provider_unsupported"],
  [502, "provider_unavailable"],
  [503, "provider_unavailable"],
  [504, "provider_unavailable"],
  [522, "provider_unavailable"],
];

describe("a page of HTML from a proxy is judged by its status", () => {
  for (const [status, code] of STATUSES) {
    test(`${status} is ${code}`, async () => {
      answer("PutObject", status, "<html><body>canary</body></html>", { "content-type": "text/html" });
      expect((await errorOf(put(open(), "k", utf8("x")))).code).toBe(code);
    });
  }

  test("a listing of HTML that calls itself a success is no empty store", async () => {
    answer("ListObjectsV2", 200, "<html><body>canary</body></html>", { "content-type": "text/html" });
    const listing = open().list("");
    expect((await errorOf(Array.fromAsync(listing))).code).toBe("provider_error");
  });
});

describe("how long to wait", () => {
  test("is taken from Retry-After in seconds", async () => {
    answer("PutObject", 503, s3Error("SlowDown"), { "retry-after": "7" });
    expect((await errorOf(put(open(), "k", utf8("x")))).retryAfterMs).toBe(7_000);
  });

  test("is taken from Retry-After as a date, never negative", async () => {
    answer("PutObject", 503, s3Error("SlowDown"), { "retry-after": "Wed, 21 Oct 2015 07:28:00 GMT" });
    expect((await errorOf(put(open(), "k", utf8("x")))).retryAfterMs).toBe(0);
  });
});

describe("a bucket in another region", () => {
  test("is told with the region to set, and the redirect is not followed", async () => {
    const elsewhere = { location: "http://127.0.0.1:1/", "x-amz-bucket-region": "eu-central-1" };
    answer("PutObject", 301, s3Error("PermanentRedirect"), elsewhere);
    const error = await errorOf(put(open(), "k", utf8("x")));
    expect(error.code).toBe("provider_config");
    expect(error.message).toContain("eu-central-1");
  });

  test("is told from a HEAD, which has no body", async () => {
    answer("HeadObject", 400, "", { "x-amz-bucket-region": "ap-south-1" });
    const error = await errorOf(open().stat("k"));
    expect(error.code).toBe("provider_config");
    expect(error.message).toContain("ap-south-1");
  });

  test("is told when the signature's region is refused, to content and control requests alike", async () => {
    const provider = open({ region: "eu-west-1" });
    const calls = [() => put(provider, "k", utf8("x")), () => Array.fromAsync(provider.list(""))];
    for (const call of calls) {
      await expect(call()).rejects.toMatchObject({
        code: "provider_config",
        message: expect.stringContaining("us-east-1"),
      });
    }
  });

  test("a region that is no region is not repeated", async () => {
    answer("PutObject", 301, s3Error("PermanentRedirect", "<Region>canary</Region>"), {
      "x-amz-bucket-region": "canary@evil/",
    });
    expect((await errorOf(put(open(), "k", utf8("x")))).code).toBe("provider_config");
  });
});

test("nothing of an error body that repeats the request's secrets gets out", async () => {
  const echo = `<AWSAccessKeyId>${server.accessKeyId}</AWSAccessKeyId><SignatureProvided>canary</SignatureProvided>`;
  answer("GetObject", 403, s3Error(server.accessKeyId, echo));
  const error = await errorOf(open().get("k"));
  expect(Bun.inspect(error)).not.toContain(server.accessKeyId);
});

describe("a connection that", () => {
  test("is refused is unreachable, and may be tried again", async () => {
    const provider = open({ endpoint_url: "http://127.0.0.1:1" });
    await expect(provider.stat("k")).rejects.toMatchObject({ code: "provider_unreachable", retryable: true });
  });

  test("ends without an answer is unreachable", async () => {
    // A connection that was kept is replaced by the runtime itself, once.
    const reset = server.faults.add("PutObject", { kind: "reset" }, { times: Infinity });
    await expect(put(open(), "k", utf8("x"))).rejects.toMatchObject({ code: "provider_unreachable", retryable: true });
    expect(reset.fired).toBeGreaterThan(0);
    reset.remove();
  });

  test("never answers is given up as a timeout, for content and control requests", async () => {
    for (const [operation, call] of [
      ["PutObject", () => put(open({}, { idleMs: 60, uploadBytesPerSecondMin: 1e9 }), "k", utf8("x"))],
      ["ListObjectsV2", () => Array.fromAsync(open({}, { idleMs: 60 }).list(""))],
    ] as const) {
      fault = server.faults.add(operation, { kind: "hang" });
      expect((await errorOf(call())).code).toBe("provider_timeout");
    }
  });
});
