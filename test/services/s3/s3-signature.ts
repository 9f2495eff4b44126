import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { S3Failure, type S3Received } from "./s3-wire.ts";

export interface S3Account {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
}

const SKEW_MS_MAX = 15 * 60_000;

/**
 * Checks a request as AWS does: who, when, the signature over every header it names, and that the body is the one whose
 * hash was signed. Written from the description of Signature Version 4, not with the client's library.
 * @throws S3Failure
 */
export function checkSignature(request: S3Received, account: S3Account, now: number): void {
  const authorization = request.headers["authorization"] ?? "";
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/.exec(
      authorization,
    );
  if (match === null) throw new S3Failure(403, "AccessDenied");
  const [, accessKeyId = "", day = "", region = "", signedHeaders = "", signature = ""] = match;
  if (accessKeyId !== account.accessKeyId) throw new S3Failure(403, "InvalidAccessKeyId");
  if (region !== account.region) throw new S3Failure(400, "AuthorizationHeaderMalformed", { Region: account.region });
  const date = request.headers["x-amz-date"] ?? "";
  if (Math.abs(timeOf(date) - now) > SKEW_MS_MAX) throw new S3Failure(403, "RequestTimeTooSkewed");
  checkSignedHeaders(request, signedHeaders.split(";"));
  const scope = `${day}/${region}/s3/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", date, scope, sha256(canonicalRequest(request, signedHeaders))].join("\n");
  const expected = hmac(signingKey(account.secretAccessKey, day, region), toSign);
  if (!timingSafeEqual(expected, Buffer.from(signature, "hex"))) throw new S3Failure(403, "SignatureDoesNotMatch");
  if (request.headers["x-amz-content-sha256"] !== sha256(request.body))
    throw new S3Failure(400, "XAmzContentSHA256Mismatch");
}

/** Host and every x-amz-* header have to be signed: otherwise they could be changed on the way. */
function checkSignedHeaders(request: S3Received, signed: readonly string[]): void {
  const needed = Object.keys(request.headers).filter((name) => name === "host" || name.startsWith("x-amz-"));
  if (needed.some((name) => !signed.includes(name))) throw new S3Failure(403, "AccessDenied");
}

function canonicalRequest(request: S3Received, signedHeaders: string): string {
  const headers = signedHeaders
    .split(";")
    .map((name) => `${name}:${(request.headers[name] ?? "").trim().replace(/ +/g, " ")}\n`);
  const query = [...request.query]
    .map(([name, value]) => `${percentEncode(name)}=${percentEncode(value)}`)
    .toSorted()
    .join("&");
  const path = request.rawPath
    .split("/")
    .map((segment) => percentEncode(decodeURIComponent(segment)))
    .join("/");
  return [request.method, path, query, headers.join(""), signedHeaders, request.headers["x-amz-content-sha256"]].join(
    "\n",
  );
}

function percentEncode(text: string): string {
  return [...Buffer.from(text)]
    .map((byte) =>
      /[A-Za-z0-9._~-]/.test(String.fromCharCode(byte))
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
    )
    .join("");
}

/** `20251118T040506Z` as milliseconds. */
function timeOf(date: string): number {
  return Date.parse(date.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/, "$1-$2-$3:$4:$5"));
}

function signingKey(secret: string, day: string, region: string): Buffer {
  return [day, region, "s3", "aws4_request"].reduce<Buffer>(
    (key, part) => hmac(key, part),
    Buffer.from(`AWS4${secret}`),
  );
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
