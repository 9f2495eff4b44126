import type { StorageClass } from "@aws-sdk/client-s3";
import { SyncError } from "../../core/errors.ts";
import type { ObjectInfo } from "../contract.ts";
import { versionOf } from "./address.ts";
import type { S3Connection } from "./connection.ts";
import { refusalIn } from "./refusal.ts";
import type { S3Settings } from "./settings.ts";

/** Where the SHA-256 of the whole content is kept: no checksum of S3 has it for objects of several parts. */
export const SHA256_METADATA = "sha256";

/** Which write an object is from; only writes under a condition have one. */
export const WRITE_ID_METADATA = "write-id";

/** What HEAD says of an object. */
export interface S3ObjectHead extends Omit<ObjectInfo, "sha256"> {
  readonly contentType: string | undefined;
  /** As the metadata has it; undefined for objects of other tools. */
  readonly sha256: string | undefined;
  readonly writeId: string | undefined;
}

/** How a new object is to be kept. */
export interface ObjectTraits {
  readonly contentType: string | undefined;
  readonly sha256: string | undefined;
}

/** The headers of a new object, lower-case: type, hash, storage class, encryption. */
export function traitHeaders(settings: S3Settings, { contentType, sha256 }: ObjectTraits): Record<string, string> {
  return {
    "content-type": contentType ?? "application/octet-stream",
    ...(sha256 === undefined ? {} : { [`x-amz-meta-${SHA256_METADATA}`]: sha256 }),
    ...(settings.storageClass === undefined ? {} : { "x-amz-storage-class": settings.storageClass }),
    ...(settings.sse === undefined ? {} : { "x-amz-server-side-encryption": settings.sse }),
    ...(settings.sseKmsKeyId === undefined
      ? {}
      : { "x-amz-server-side-encryption-aws-kms-key-id": settings.sseKmsKeyId }),
  };
}

/** The same for the SDK's commands. */
export function traitInputs(settings: S3Settings) {
  return {
    ...(settings.storageClass === undefined ? {} : { StorageClass: settings.storageClass as StorageClass }),
    ...(settings.sse === undefined ? {} : { ServerSideEncryption: settings.sse }),
    ...(settings.sseKmsKeyId === undefined ? {} : { SSEKMSKeyId: settings.sseKmsKeyId }),
  };
}

/** undefined when the bucket has no such key. @throws SyncError what else keeps it from being seen */
export async function headObject(
  connection: S3Connection,
  key: string,
  signal?: AbortSignal,
): Promise<S3ObjectHead | undefined> {
  const answer = await orMissing(connection, connection.send({ method: "HEAD", key, signal }), signal);
  if (answer === undefined) return undefined;
  const { headers } = answer;
  return {
    key,
    size: sizeOf(headers.get("content-length")),
    version: requiredVersion(headers),
    contentType: headers.get("content-type") ?? undefined,
    sha256: headers.get(`x-amz-meta-${SHA256_METADATA}`) ?? undefined,
    writeId: headers.get(`x-amz-meta-${WRITE_ID_METADATA}`) ?? undefined,
  };
}

/** `answer`, or undefined when the key is missing; makes sure that it is not the bucket. */
export async function orMissing<T>(
  connection: S3Connection,
  answer: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof SyncError) || error.code !== "object_missing") throw error;
    if (refusalIn(error).s3_code === undefined) await connection.checkBucket(signal);
    return undefined;
  }
}

/** @throws SyncError `provider_error` without an ETag */
export function requiredVersion(headers: Headers): string {
  const etag = headers.get("etag");
  if (etag === null || etag === "")
    throw new SyncError("provider_error", "the store's answer has no ETag; check endpoint_url", { retryable: true });
  return versionOf(etag);
}

/** @throws SyncError `provider_error`, final, unless `value` is a size */
export function sizeOf(value: string | null | undefined): number {
  const size = value === null || value === undefined || !/^\d+$/.test(value) ? Number.NaN : Number(value);
  if (!Number.isSafeInteger(size))
    throw new SyncError(
      "provider_error",
      "the store's answers do not tell an object's size: a proxy on the way drops it; set endpoint_url to the store itself",
    );
  return size;
}
