import type { S3Settings } from "./settings.ts";

/** Where the requests of one destination go. */
export interface S3Address {
  /** Scheme, host and port, without a slash at the end. */
  readonly origin: string;
  /** Host with its port when it is not the scheme's own. */
  readonly host: string;
  /** Percent-encoded path of the bucket; "" when the host names it. */
  readonly bucketPath: string;
}

const KEY_BYTES_MAX = 1024;
const utf8 = new TextEncoder();

export function addressOf({ endpoint, bucket, pathStyle }: S3Settings): S3Address {
  const host = pathStyle ? endpoint.host : `${bucket}.${endpoint.host}`;
  return {
    origin: `${endpoint.protocol}//${host}`,
    host,
    bucketPath: `${basePath(endpoint)}${pathStyle ? `/${bucket}` : ""}`,
  };
}

/** The path of `key`, percent-encoded once: exactly what is sent and what is signed. */
export function pathOf(address: S3Address, key: string): string {
  return `${address.bucketPath}/${encodeKey(key)}`;
}

function basePath(endpoint: URL): string {
  return endpoint.pathname.replace(/\/+$/, "");
}

/** Every character but A-Z a-z 0-9 - . _ ~ percent-encoded, as Signature Version 4 wants it. */
export function percentEncode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The same with `/` left as it is. */
export function encodeKey(key: string): string {
  if (/^[\w\-.~/]*$/.test(key)) return key;
  return percentEncode(key).replaceAll("%2F", "/");
}

/**
 * Why S3 cannot hold `key`, or undefined. `.` and `..` as segments are refused because every URL parser resolves
 * them, encoded or not: the request would go to another object.
 */
export function s3KeyFault(key: string): string | undefined {
  if (key === "") return "is empty";
  if (!key.isWellFormed()) return "is not valid Unicode";
  if (key.includes("\0")) return "holds a NUL character";
  // Three bytes are the most a UTF-16 unit takes, so short keys need no encoding to know.
  if (key.length * 3 > KEY_BYTES_MAX && utf8.encode(key).length > KEY_BYTES_MAX)
    return `is longer than ${KEY_BYTES_MAX} bytes in UTF-8`;
  if (/(^|\/)\.\.?(\/|$)/.test(key)) return "holds a segment '.' or '..'";
  return undefined;
}

/** The destination without secrets, e.g. `s3:https://s3.eu-central-1.amazonaws.com/studio-nightly`. */
export function identityOf(settings: S3Settings): string {
  const { endpoint, bucket } = settings;
  return `s3:${endpoint.origin}${basePath(endpoint)}/${bucket}`;
}

/** An entity tag as a version: without quotes, because RGW matches If-Match only so and AWS takes both. */
export function versionOf(etag: string): string {
  return etag.replace(/^W\//, "").replace(/^"(.*)"$/, "$1");
}
