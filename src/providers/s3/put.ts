import { SyncError } from "../../core/errors.ts";
import type { ByteSource, ObjectInfo, Precondition, PutOptions } from "../contract.ts";
import type { S3Connection } from "./connection.ts";
import { checkContent, checksumHeader, readExactly, sha256Hex } from "./content.ts";
import { requiredVersion, traitHeaders } from "./object-info.ts";
import { refusalError } from "./refusal.ts";

const ANSWER_BYTES_MAX = 64 * 1024;

/**
 * Puts an object in one request. The signature covers the manifest's hash, so a store that checks it (AWS, RGW, MinIO)
 * refuses other bytes.
 * @throws SyncError `content_mismatch`, `file_changed`, `precondition_failed`; as `S3Connection.send`
 */
export async function putWhole(
  connection: S3Connection,
  key: string,
  source: ByteSource,
  options: PutOptions,
): Promise<ObjectInfo> {
  const { sha256, signal } = options;
  const release = await connection.budget.claim(source.size, signal);
  try {
    const body = await readAll(source);
    checkContent(sha256Hex(body, connection.context.newHasher), sha256);
    const headers = {
      ...traitHeaders(connection.settings, { contentType: options.contentType, sha256 }),
      ...(connection.settings.isAws ? { "x-amz-checksum-sha256": checksumHeader(sha256) } : {}),
      ...preconditionHeader(options.precondition),
    };
    const answer = await connection.send({ method: "PUT", key, headers, body, bodySha256: sha256, signal });
    await answer.readBytes(ANSWER_BYTES_MAX);
    options.onBytes?.(body.length);
    return { key, size: body.length, version: requiredVersion(answer.headers) };
  } catch (error) {
    throw error instanceof SyncError && error.code === "object_missing" ? missingTarget(options.precondition) : error;
  } finally {
    release();
  }
}

async function readAll(source: ByteSource): Promise<Uint8Array> {
  const open = await source.open();
  try {
    return await readExactly(open, 0, source.size);
  } finally {
    await open.close();
  }
}

function preconditionHeader(precondition: Precondition | undefined): Record<string, string> {
  if (precondition === undefined) return {};
  return precondition.kind === "absent" ? { "if-none-match": "*" } : { "if-match": precondition.version };
}

/** AWS answers If-Match on a key that is not there with 404. Without a precondition a PUT has nothing to miss but the bucket. */
function missingTarget(precondition: Precondition | undefined): SyncError {
  const code = precondition?.kind === "version" ? "PreconditionFailed" : "NoSuchBucket";
  return refusalError({ status: 404, code });
}
