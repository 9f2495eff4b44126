import { CopyObjectCommand, UploadPartCopyCommand } from "@aws-sdk/client-s3";
import { SyncError } from "../../core/errors.ts";
import type { CopyOptions, ObjectInfo } from "../contract.ts";
import { encodeKey, versionOf } from "./address.ts";
import type { S3Connection } from "./connection.ts";
import type { S3Control } from "./control.ts";
import { Lane } from "../transfer/lane.ts";
import type { MultipartUploads } from "./multipart.ts";
import type { MultipartUpload, StoredPart } from "./multipart-upload.ts";
import { headObject, type S3ObjectHead, traitInputs } from "./object-info.ts";
import { type PlannedPart, planParts } from "./part-plan.ts";
import { refusalError } from "./refusal.ts";

interface Copying {
  readonly connection: S3Connection;
  readonly control: S3Control;
  readonly uploads: MultipartUploads;
}

/**
 * Copies inside the bucket. RGW ignores CopySourceIfMatch, so the source's version is also compared before and, unless
 * the copy's own ETag proves it, after.
 * @throws SyncError `object_missing`, `precondition_failed`; as `S3Connection.send`
 */
export async function copyObject(
  copying: Copying,
  from: string,
  to: string,
  { ifVersion, signal }: CopyOptions,
): Promise<ObjectInfo> {
  const { connection } = copying;
  const source = await headObject(connection, from, signal);
  if (source === undefined) throw refusalError({ status: 404, code: "NoSuchKey" });
  const { size, version } = source;
  // Without `ifVersion` a new source is as good as the old one, only never a mixture of both: the caller may repeat.
  const changed = new SyncError("precondition_failed", "the object to copy is not in the expected version", {
    retryable: ifVersion === undefined,
  });
  if (ifVersion !== undefined && version !== ifVersion) throw changed;
  if (from === to) return { key: to, size, version };
  try {
    const small = size <= connection.limits.copyBytesMax;
    const copy = small ? await copyWhole(copying, source, to, signal) : await copyInParts(copying, source, to, signal);
    if (copy.version === version || (await isStill(connection, source, signal))) return checkSize(copy, source);
  } catch (error) {
    const aborted = error instanceof SyncError && error.code === "aborted";
    throw aborted || (await isStill(connection, source, signal)) ? error : changed;
  }
  await connection.send({ method: "DELETE", key: to, signal });
  throw changed;
}

/** @throws SyncError `provider_error` for a copy that is not all of its source */
function checkSize(copy: ObjectInfo, source: S3ObjectHead): ObjectInfo {
  if (copy.size === source.size) return copy;
  throw new SyncError("provider_error", "the store made a copy of another size than its source", { retryable: true });
}

async function isStill(
  connection: S3Connection,
  source: S3ObjectHead,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  return (await headObject(connection, source.key, signal))?.version === source.version;
}

async function copyWhole(
  { connection, control }: Copying,
  source: S3ObjectHead,
  to: string,
  signal: AbortSignal | undefined,
): Promise<ObjectInfo> {
  const { settings } = connection;
  const command = new CopyObjectCommand({
    Bucket: settings.bucket,
    Key: to,
    CopySource: copySource(settings.bucket, source.key),
    CopySourceIfMatch: source.version,
    ...traitInputs(settings),
  });
  const etag = (await control.send(command, "CopyObjectResult", signal)).text("ETag");
  if (etag !== undefined && versionOf(etag) === source.version) {
    return { key: to, size: source.size, version: source.version };
  }
  const copy = await headObject(connection, to, signal);
  if (copy === undefined)
    throw new SyncError("provider_error", "the store does not show the copy it has just made", { retryable: true });
  return { key: to, size: copy.size, version: copy.version };
}

async function copyInParts(
  copying: Copying,
  source: S3ObjectHead,
  to: string,
  signal: AbortSignal | undefined,
): Promise<ObjectInfo> {
  const { connection, uploads } = copying;
  const upload = await uploads.begin(to, source, false, signal);
  const lane = new Lane<StoredPart>(connection.limits.partsAtOnce, signal);
  try {
    for (const part of planParts(source.size, connection.limits.copyPartBytes)) {
      await lane.add(() => copyPart(copying, source, upload, part, lane.signal));
    }
    return await uploads.complete(upload, await lane.results(), source, signal);
  } catch (error) {
    const first = await lane.fail(error);
    await uploads.abort(upload);
    throw first;
  }
}

async function copyPart(
  { connection, control }: Copying,
  source: S3ObjectHead,
  upload: MultipartUpload,
  part: PlannedPart,
  signal: AbortSignal,
): Promise<StoredPart> {
  const { bucket } = connection.settings;
  const command = new UploadPartCopyCommand({
    Bucket: bucket,
    Key: upload.key,
    UploadId: upload.uploadId,
    PartNumber: part.number,
    CopySource: copySource(bucket, source.key),
    CopySourceIfMatch: source.version,
    CopySourceRange: `bytes=${part.offset}-${part.offset + part.size - 1}`,
  });
  const etag = (await control.send(command, "CopyPartResult", signal)).text("ETag");
  if (etag === undefined)
    throw new SyncError("provider_error", "the store does not name the part it has copied", { retryable: true });
  return { number: part.number, size: part.size, etag: versionOf(etag) };
}

/** A header that the store decodes like a path: `+` has to be encoded as well. */
function copySource(bucket: string, key: string): string {
  return `${bucket}/${encodeKey(key)}`;
}
