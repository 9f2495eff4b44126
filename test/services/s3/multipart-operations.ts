import { randomBytes } from "node:crypto";
import type { S3Quirks } from "./s3-quirks.ts";
import { type Bucket, joinedParts, objectOf, type StoredUpload } from "./s3-store.ts";
import { checkChecksum, checkConditions, checkKey, copySource, traitsOf } from "./object-operations.ts";
import { elements, S3Failure, type S3Received, type S3Reply, textsOf, xmlReply } from "./s3-wire.ts";

const PART_BYTES_MIN_DEFAULT = 5 * 1024 * 1024;
const PARTS_MAX = 10_000;

/** CreateMultipartUpload */
export function createUpload(request: S3Received, bucket: Bucket): S3Reply {
  checkKey(request.key);
  const UploadId = bucket.begin(request.key, traitsOf(request));
  return xmlReply("InitiateMultipartUploadResult", elements({ Bucket: request.bucket, Key: request.key, UploadId }));
}

/** UploadPart */
export function uploadPart(request: S3Received, bucket: Bucket): S3Reply {
  const upload = uploadOf(request, bucket);
  checkChecksum(request);
  const part = objectOf(request.body);
  upload.parts.set(partNumberOf(request), part);
  return { status: 200, headers: { etag: `"${part.etag}"` } };
}

/** UploadPartCopy */
export function uploadPartCopy(
  request: S3Received,
  bucket: Bucket,
  bucketNamed: (name: string) => Bucket,
  quirks: S3Quirks,
): S3Reply {
  const upload = uploadOf(request, bucket);
  const { object } = copySource(request, bucketNamed, quirks);
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers["x-amz-copy-source-range"] ?? "") ?? [];
  const part = objectOf(object.bytes.slice(Number(first ?? 0), last === undefined ? undefined : Number(last) + 1));
  upload.parts.set(partNumberOf(request), part);
  return xmlReply("CopyPartResult", elements({ ETag: `"${part.etag}"` }));
}

/** CompleteMultipartUpload */
export function completeUpload(request: S3Received, bucket: Bucket, quirks: S3Quirks): S3Reply {
  const upload = uploadOf(request, bucket);
  checkConditions(request, bucket, quirks);
  const xml = Buffer.from(request.body).toString();
  const numbers = textsOf(xml, "PartNumber").map(Number);
  const etags = textsOf(xml, "ETag").map((etag) => etag.replaceAll('"', ""));
  if (numbers.length === 0 || numbers.length !== etags.length) throw new S3Failure(400, "MalformedXML");
  if (numbers.some((number, index) => index > 0 && number <= (numbers[index - 1] ?? 0)))
    throw new S3Failure(400, "InvalidPartOrder");
  const parts = numbers.map((number, index) => {
    const part = upload.parts.get(number);
    const isNamed = quirks.ignoresPartTags === true || part?.etag === etags[index];
    if (part === undefined || !isNamed) throw new S3Failure(400, "InvalidPart");
    return part;
  });
  const least = quirks.partBytesMin ?? PART_BYTES_MIN_DEFAULT;
  if (parts.slice(0, -1).some((part) => part.bytes.length < least)) throw new S3Failure(400, "EntityTooSmall");
  const joined = joinedParts(parts, upload.traits);
  const etag = quirks.opaquePartsTag?.() === true ? `${randomBytes(16).toString("hex")}-${parts.length}` : joined.etag;
  const object = bucket.put(upload.key, { ...joined, etag });
  bucket.uploads.delete(request.query.get("uploadId") ?? "");
  const ETag = quirks.completesWithoutEtag === true ? "" : `"${object.etag}"`;
  return xmlReply("CompleteMultipartUploadResult", elements({ Bucket: request.bucket, Key: upload.key, ETag }));
}

/** AbortMultipartUpload */
export function abortUpload(request: S3Received, bucket: Bucket): S3Reply {
  uploadOf(request, bucket);
  bucket.uploads.delete(request.query.get("uploadId") ?? "");
  return { status: 204 };
}

/** ListParts */
export function listParts(request: S3Received, bucket: Bucket, quirks: S3Quirks): S3Reply {
  const { parts } = uploadOf(request, bucket, quirks.goneUploadIsNoSuchKey === true ? "NoSuchKey" : "NoSuchUpload");
  const after = Number(request.query.get("part-number-marker") ?? 0);
  const matching = [...parts].filter(([number]) => number > after).toSorted(([a], [b]) => a - b);
  const page = matching.slice(0, quirks.pageKeysMax ?? 1000);
  const head = elements({
    IsTruncated: page.length < matching.length,
    NextPartNumberMarker: page.at(-1)?.[0] ?? 0,
  });
  const listed = page.map(
    ([PartNumber, { etag, bytes }]) =>
      `<Part>${elements({ PartNumber, ETag: `"${etag}"`, Size: bytes.length })}</Part>`,
  );
  return xmlReply("ListPartsResult", `${head}${listed.join("")}`);
}

function uploadOf(request: S3Received, bucket: Bucket, goneCode = "NoSuchUpload"): StoredUpload {
  const upload = bucket.uploads.get(request.query.get("uploadId") ?? "");
  if (upload === undefined || upload.key !== request.key) throw new S3Failure(404, goneCode);
  return upload;
}

function partNumberOf(request: S3Received): number {
  const number = Number(request.query.get("partNumber"));
  if (!Number.isInteger(number) || number < 1 || number > PARTS_MAX) throw new S3Failure(400, "InvalidArgument");
  return number;
}
