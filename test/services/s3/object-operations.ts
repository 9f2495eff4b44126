import { createHash } from "node:crypto";
import type { S3Quirks } from "./s3-quirks.ts";
import { type Bucket, type ObjectTraits, objectOf, type StoredObject } from "./s3-store.ts";
import { elements, S3Failure, type S3Received, type S3Reply, xmlReply } from "./s3-wire.ts";

const KEY_BYTES_MAX = 1024;
const KEPT_HEADERS = ["content-type", "content-encoding", "x-amz-storage-class", "x-amz-server-side-encryption"];

/** PutObject */
export function putObject(request: S3Received, bucket: Bucket, quirks: S3Quirks): S3Reply {
  checkKey(request.key);
  checkConditions(request, bucket, quirks);
  checkChecksum(request);
  const object = bucket.put(request.key, objectOf(request.body, traitsOf(request)));
  return { status: 200, headers: { etag: `"${object.etag}"` } };
}

export function checkKey(key: string): void {
  if (Buffer.byteLength(key) > KEY_BYTES_MAX) throw new S3Failure(400, "KeyTooLongError");
}

/** What of the headers stays with the object. */
export function traitsOf(request: S3Received): ObjectTraits {
  const kept = Object.entries(request.headers).filter(
    ([name]) => name.startsWith("x-amz-meta-") || KEPT_HEADERS.includes(name),
  );
  return Object.fromEntries(kept);
}

/** `x-amz-checksum-sha256` of the body. */
export function checkChecksum(request: S3Received): void {
  const declared = request.headers["x-amz-checksum-sha256"];
  if (declared !== undefined && declared !== createHash("sha256").update(request.body).digest("base64"))
    throw new S3Failure(400, "BadDigest");
}

/** If-None-Match and If-Match of a write. */
export function checkConditions(request: S3Received, bucket: Bucket, quirks: S3Quirks): void {
  if (quirks.ignoresPutConditions === true) return;
  const existing = bucket.objects.get(request.key);
  if (request.headers["if-none-match"] === "*" && existing !== undefined)
    throw new S3Failure(412, "PreconditionFailed");
  const ifMatch = request.headers["if-match"];
  if (ifMatch === undefined) return;
  if (existing === undefined)
    throw quirks.bareIfMatch === true ? new S3Failure(412, "PreconditionFailed") : new S3Failure(404, "NoSuchKey");
  const wanted = quirks.bareIfMatch === true ? ifMatch : bare(ifMatch);
  if (wanted !== existing.etag) throw new S3Failure(412, "PreconditionFailed");
}

function bare(etag: string): string {
  return etag.replace(/^"(.*)"$/, "$1");
}

/** GetObject and HeadObject */
export function getObject(request: S3Received, bucket: Bucket): S3Reply {
  const object = bucket.objects.get(request.key);
  if (object === undefined) throw new S3Failure(404, "NoSuchKey");
  const headers = { ...object.traits, etag: `"${object.etag}"`, "accept-ranges": "bytes" };
  const range = request.headers["range"];
  if (range === undefined || request.method === "HEAD") {
    return { status: 200, headers: { ...headers, "content-length": String(object.bytes.length) }, body: object.bytes };
  }
  const [first, last] = rangeOf(range, object.bytes.length);
  const body = object.bytes.subarray(first, last + 1);
  return {
    status: 206,
    headers: { ...headers, "content-range": `bytes ${first}-${last}/${object.bytes.length}` },
    body,
  };
}

/** First and last byte of `bytes=a-b` or `bytes=a-`. */
function rangeOf(range: string, size: number): [number, number] {
  const [, first = "", last = ""] = /^bytes=(\d+)-(\d*)$/.exec(range) ?? [];
  const from = Number(first);
  if (first === "" || from >= size) throw new S3Failure(416, "InvalidRange");
  return [from, last === "" ? size - 1 : Math.min(Number(last), size - 1)];
}

/** CopyObject */
export function copyObject(
  request: S3Received,
  bucket: Bucket,
  bucketNamed: (name: string) => Bucket,
  quirks: S3Quirks,
): S3Reply {
  checkKey(request.key);
  const source = copySource(request, bucketNamed, quirks);
  if (source.key === request.key && source.bucket === bucket) throw new S3Failure(400, "InvalidRequest");
  const { bytes, traits, etag } = source.object;
  // A copy of an object of several parts is one part, with another tag.
  const object = bucket.put(request.key, etag.includes("-") ? objectOf(bytes, traits) : source.object);
  return xmlReply("CopyObjectResult", elements({ ETag: `"${object.etag}"` }));
}

/** The object that `x-amz-copy-source` names, in the version it asks for. */
export function copySource(
  request: S3Received,
  bucketNamed: (name: string) => Bucket,
  quirks: S3Quirks,
): { readonly bucket: Bucket; readonly key: string; readonly object: StoredObject } {
  // Like AWS: `+` is a space here.
  const source = decodeURIComponent((request.headers["x-amz-copy-source"] ?? "").replaceAll("+", " "));
  const [, name = "", key = ""] = /^\/?([^/]+)\/(.+)$/s.exec(source) ?? [];
  const bucket = bucketNamed(name);
  const object = bucket.objects.get(key);
  if (object === undefined) throw new S3Failure(404, "NoSuchKey");
  const ifMatch = request.headers["x-amz-copy-source-if-match"];
  if (ifMatch !== undefined && quirks.ignoresCopySourceIfMatch !== true && bare(ifMatch) !== object.etag)
    throw new S3Failure(412, "PreconditionFailed");
  return { bucket, key, object };
}
