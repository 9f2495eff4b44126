import { describe, expect, test } from "bun:test";
import { createHash, createHmac } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";
import fc from "fast-check";
import { newPortableHasher } from "../../../src/core/hash.ts";
import { encodeKey } from "../../../src/providers/s3/address.ts";
import type { S3Credentials } from "../../../src/providers/s3/settings.ts";
import { EMPTY_SHA256, newSigner, type SignableRequest } from "../../../src/providers/s3/sign.ts";
import { newHasher } from "./s3-setup.ts";

// The examples of "Signature Calculations for the Authorization Header" in Amazon's S3 API reference.
const credentials = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};
const host = "examplebucket.s3.amazonaws.com";
const at = new Date("2013-05-24T00:00:00Z");

const examples = [
  {
    name: "GET Object",
    request: { method: "GET", path: "/test.txt", query: {}, headers: { range: "bytes=0-9" }, bodySha256: EMPTY_SHA256 },
    signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  },
  {
    name: "GET Bucket Lifecycle",
    request: { method: "GET", path: "/", query: { lifecycle: "" }, headers: {}, bodySha256: EMPTY_SHA256 },
    signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
  },
  {
    name: "Get Bucket (List Objects)",
    request: {
      method: "GET",
      path: "/",
      query: { "max-keys": "2", prefix: "J" },
      headers: {},
      bodySha256: EMPTY_SHA256,
    },
    signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
  },
];

describe.each([
  ["the platform's hasher", newHasher],
  ["the portable hasher", newPortableHasher],
])("with %s a signature is Amazon's own for", (_name, hasher) => {
  for (const { name, request, signature } of examples) {
    test(name, () => {
      const headers = newSigner(host, "us-east-1", credentials, hasher)(request, at);
      expect(headers["authorization"]).toEndWith(`Signature=${signature}`);
      expect(headers).not.toHaveProperty("host");
    });
  }
});

test("a session token is sent and signed, and a secret longer than a hash block works", () => {
  const sign = newSigner(
    host,
    "us-east-1",
    { accessKeyId: "A", secretAccessKey: "x".repeat(100), sessionToken: "token" },
    newHasher,
  );
  const headers = sign({ method: "GET", path: "/a", query: {}, headers: {}, bodySha256: EMPTY_SHA256 }, at);
  expect(headers["x-amz-security-token"]).toBe("token");
  expect(headers["authorization"]).toContain("x-amz-security-token");
});

const server = "127.0.0.1:7480";
const text = fc.string({ unit: "binary", maxLength: 12 }).filter((value) => value.isWellFormed());
const headerName = fc.stringMatching(/^x-amz-meta-[a-z0-9-]{1,8}$/);
const headerValue = fc.stringMatching(/^[!-~ \t]{0,20}$/);
const requests = fc.record({
  method: fc.constantFrom("GET", "PUT", "POST", "HEAD", "DELETE"),
  path: text.map((key) => `/studio/${encodeKey(key)}`),
  query: fc.dictionary(text, text, { maxKeys: 4 }),
  headers: fc.dictionary(headerName, headerValue, { maxKeys: 5 }),
  bodySha256: fc.stringMatching(/^[0-9a-f]{64}$/),
});
const keys = fc.record(
  {
    accessKeyId: fc.stringMatching(/^[A-Z0-9]{4,20}$/),
    secretAccessKey: text,
    sessionToken: fc.stringMatching(/^\w+$/),
  },
  { requiredKeys: ["accessKeyId", "secretAccessKey"] },
);
const dates = fc.date({ min: new Date("2000-01-01"), max: new Date("2099-12-31"), noInvalidDate: true });

test("the headers are those of the AWS SDK's signer, for any request, key and day", async () => {
  await fc.assert(
    fc.asyncProperty(requests, keys, fc.array(dates, { minLength: 1, maxLength: 3 }), async (request, keysOf, days) => {
      const { secretAccessKey, accessKeyId } = keysOf;
      const credentialsOf = { ...keysOf, accessKeyId, secretAccessKey };
      const sign = newSigner(server, "eu-central-1", credentialsOf, newHasher);
      for (const day of days) expect(sign(request, day)).toEqual(await signedBySdk(request, credentialsOf, day));
    }),
    { numRuns: 400 },
  );
});

async function signedBySdk(
  { method, path, query, headers, bodySha256 }: SignableRequest,
  sdkCredentials: S3Credentials,
  signingDate: Date,
): Promise<Record<string, string>> {
  const signer = new SignatureV4({
    service: "s3",
    region: "eu-central-1",
    credentials: sdkCredentials,
    sha256: NodeSha256,
    // S3 signs the path as it is sent; every other service encodes it twice.
    uriEscapePath: false,
    applyChecksum: false,
  });
  const request = {
    method,
    protocol: "http:",
    hostname: server,
    path,
    query: { ...query },
    headers: { ...headers, host: server, "x-amz-content-sha256": bodySha256 },
  };
  const signed = await signer.sign(request, { signingDate });
  const { host: _, ...sent } = signed.headers;
  return sent;
}

/** SHA-256, or HMAC-SHA-256 with a secret, in the shape that the SDK's signer asks for. */
class NodeSha256 {
  readonly #state;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#state = secret === undefined ? createHash("sha256") : createHmac("sha256", bytesOf(secret));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#state.update(bytesOf(data));
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array(this.#state.digest()));
  }

  reset(): void {
    throw new Error("is used once");
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === "string") return new TextEncoder().encode(data);
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
