import type { MessageHead } from "./http-messages.ts";

/** What a request is to the product, told by its first line and headers alone. */
export const REQUEST_CLASSES = [
  "small_put",
  "part_put",
  "get",
  "head",
  "list",
  /** Writes and reads of manifest, marker and lease. */
  "control_put",
  "control_get",
  "begin_multipart",
  "complete_multipart",
  "abort_multipart",
  "list_parts",
  "delete",
  /** DeleteObjects; marker and lease go this way too. */
  "delete_batch",
  "copy",
  "other",
] as const;

export type RequestClass = (typeof REQUEST_CLASSES)[number];

export interface S3Request {
  readonly class: RequestClass;
  readonly method: string;
  /** Percent-decoded; empty for requests to the bucket. */
  readonly key: string;
  /** Of a part. */
  readonly partNumber?: number;
  /** The declared hash of the body. */
  readonly contentSha256?: string;
}

/** Reads a path-style request. */
export function readS3Request({ firstLine, headers }: MessageHead): S3Request {
  const [method = "", target = ""] = firstLine.split(" ");
  const url = new URL(target, "http://proxy");
  const key = decodeURIComponent(url.pathname.replace(/^\/[^/]*\/?/, ""));
  const partNumber = url.searchParams.get("partNumber");
  const contentSha256 = headers.get("x-amz-content-sha256");
  return {
    class: classOf(method, key, url.searchParams, headers),
    method,
    key,
    ...(partNumber === null ? {} : { partNumber: Number(partNumber) }),
    ...(contentSha256 === undefined ? {} : { contentSha256 }),
  };
}

function classOf(
  method: string,
  key: string,
  query: URLSearchParams,
  headers: ReadonlyMap<string, string>,
): RequestClass {
  const isControl = /(^|\/)manifests\/[^/]+\.json$/.test(key);
  switch (method) {
    case "PUT":
      if (headers.has("x-amz-copy-source")) return "copy";
      if (query.has("partNumber")) return "part_put";
      return isControl ? "control_put" : "small_put";
    case "GET":
      if (query.has("list-type") || query.has("uploads")) return "list";
      if (query.has("uploadId")) return "list_parts";
      return isControl ? "control_get" : "get";
    case "HEAD":
      return "head";
    case "POST":
      if (query.has("delete")) return "delete_batch";
      if (query.has("uploads")) return "begin_multipart";
      return query.has("uploadId") ? "complete_multipart" : "other";
    case "DELETE":
      return query.has("uploadId") ? "abort_multipart" : "delete";
    default:
      return "other";
  }
}
