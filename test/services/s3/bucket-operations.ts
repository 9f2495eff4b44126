import { createHash } from "node:crypto";
import type { S3Quirks } from "./s3-quirks.ts";
import type { Bucket } from "./s3-store.ts";
import { elements, S3Failure, type S3Received, type S3Reply, textsOf, xmlReply } from "./s3-wire.ts";

/** ListObjectsV2 */
export function listObjects(request: S3Received, bucket: Bucket, quirks: S3Quirks): S3Reply {
  const { query } = request;
  const prefix = query.get("prefix") ?? "";
  const pageMax = Math.min(Number(query.get("max-keys") ?? 1000), quirks.pageKeysMax ?? 1000);
  const token = query.get("continuation-token");
  const after = token === null ? undefined : Buffer.from(token, "base64url").toString();
  const encoded = query.get("encoding-type") === "url" && quirks.ignoresEncodingType !== true;
  const matching = bucket.sortedKeys().filter((key) => key.startsWith(prefix));
  // Where the last page ended, also when that key is gone since.
  const from =
    after === undefined ? 0 : matching.findIndex((key) => Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0);
  const page = from === -1 ? [] : matching.slice(from, from + pageMax);
  const isTruncated = from !== -1 && from + page.length < matching.length;
  const contents = page.map((key) => {
    const object = bucket.objects.get(key);
    const Key = encoded ? formEncode(key) : key;
    return `<Contents>${elements({ Key, Size: object?.bytes.length ?? 0, ETag: `"${object?.etag}"` })}</Contents>`;
  });
  const head = elements({ Name: request.bucket, KeyCount: page.length, MaxKeys: pageMax, IsTruncated: isTruncated });
  const encoding = encoded ? elements({ EncodingType: "url" }) : "";
  const next = isTruncated
    ? elements({ NextContinuationToken: Buffer.from(page.at(-1) ?? "").toString("base64url") })
    : "";
  return xmlReply("ListBucketResult", `${head}${encoding}${next}${contents.join("")}`);
}

/** As AWS writes keys: a space is `+`, `/` stays. */
function formEncode(key: string): string {
  return encodeURIComponent(key).replaceAll("%20", "+").replaceAll("%2F", "/");
}

/** DeleteObjects. Nothing is deleted of a request that is not whole. `refused` keys get AccessDenied. */
export function deleteObjects(request: S3Received, bucket: Bucket, refused: ReadonlySet<string>): S3Reply {
  const digest = createHash("md5").update(request.body).digest("base64");
  const declared = request.headers["content-md5"];
  if (declared === undefined) throw new S3Failure(400, "InvalidRequest");
  if (declared !== digest) throw new S3Failure(400, "BadDigest");
  const xml = Buffer.from(request.body).toString();
  const keys = textsOf(xml, "Key");
  // XML 1.0 has no control characters, written out or escaped.
  const hasControls = keys.some((key) => /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(key));
  if (keys.length === 0 || keys.length > 1000 || hasControls) throw new S3Failure(400, "MalformedXML");
  const quiet = textsOf(xml, "Quiet")[0] === "true";
  const outcomes = keys.map((key) => {
    if (refused.has(key)) return `<Error>${elements({ Key: key, Code: "AccessDenied", Message: "no" })}</Error>`;
    bucket.delete(key);
    return quiet ? "" : `<Deleted>${elements({ Key: key })}</Deleted>`;
  });
  return xmlReply("DeleteResult", outcomes.join(""));
}

/** ListMultipartUploads */
export function listUploads({ query }: S3Received, bucket: Bucket, quirks: S3Quirks): S3Reply {
  const hidden = quirks.hidesUploadEncoding === true;
  const asked = query.get("encoding-type") === "url";
  const encode = (key: string) => (asked ? formEncode(key).replaceAll("+", hidden ? "%20" : "+") : key);
  const after = [query.get("key-marker") ?? "", query.get("upload-id-marker") ?? ""];
  const prefix = query.get("prefix") ?? "";
  const matching = [...bucket.uploads]
    .map(([id, { key }]) => [key, id] as const)
    .filter(([key]) => key.startsWith(prefix))
    .toSorted(compareUploads)
    .filter((upload) => compareUploads(upload, after) > 0);
  const page = matching.slice(0, quirks.pageKeysMax ?? 1000);
  const [lastKey = "", lastId = ""] = page.at(-1) ?? [];
  const head = elements({
    ...(asked && !hidden ? { EncodingType: "url" } : {}),
    IsTruncated: page.length < matching.length,
    NextKeyMarker: hidden ? lastKey : encode(lastKey),
    NextUploadIdMarker: lastId,
  });
  const uploads = page.map(([Key, UploadId]) => `<Upload>${elements({ Key: encode(Key), UploadId })}</Upload>`);
  return xmlReply("ListMultipartUploadsResult", `${head}${uploads.join("")}`);
}

function compareUploads(a: readonly string[], b: readonly string[]): number {
  const [byKey = 0, byId = 0] = [0, 1].map((at) => Buffer.compare(Buffer.from(a[at] ?? ""), Buffer.from(b[at] ?? "")));
  return byKey === 0 ? byId : byKey;
}
