import { describe, expect, test } from "bun:test";
import { newPortableHasher } from "../../../src/core/hash.ts";
import { EMPTY_SHA256, newSigner } from "../../../src/providers/s3/sign.ts";
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
    test(name, async () => {
      const headers = await newSigner(host, "us-east-1", credentials, hasher)(request, at);
      expect(headers["authorization"]).toEndWith(`Signature=${signature}`);
      expect(headers).not.toHaveProperty("host");
    });
  }
});

test("a session token is sent and signed, and a secret longer than a hash block works", async () => {
  const sign = newSigner(
    host,
    "us-east-1",
    { accessKeyId: "A", secretAccessKey: "x".repeat(100), sessionToken: "token" },
    newHasher,
  );
  const headers = await sign({ method: "GET", path: "/a", query: {}, headers: {}, bodySha256: EMPTY_SHA256 }, at);
  expect(headers["x-amz-security-token"]).toBe("token");
  expect(headers["authorization"]).toContain("x-amz-security-token");
});
