import { type ErrorCode, SyncError } from "../../core/errors.ts";
import type { ByteSource, ObjectInfo, OpenSource, Precondition, PutOptions } from "../contract.ts";
import type { S3Connection } from "./connection.ts";
import { sha256Hex } from "../../core/hash.ts";
import { checkContent, checksumHeader, readExactly } from "../transfer/content.ts";
import { headObject, requiredVersion, type S3ObjectHead, traitHeaders, WRITE_ID_METADATA } from "./object-info.ts";
import { refusalError } from "./refusal.ts";
import type { PartBuffers } from "../transfer/part-buffers.ts";

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
  const { precondition, signal } = options;
  const release = await connection.budget.claim(source.size, signal);
  try {
    const buffers = connection.buffersFor(source.size);
    const open = await source.open();
    const body = await readAll(open, source.size, buffers);
    checkContent(sha256Hex(connection.context.newHasher, body), options.sha256);
    const info =
      precondition === undefined
        ? await send(connection, key, body, options, {})
        : await sendUnderCondition(connection, key, body, options, precondition);
    // Only here: a request that failed may still be sending, and bytes that the source handed out are the source's.
    if (precondition === undefined && open.readInto !== undefined) buffers.giveBack(body);
    options.onBytes?.(body.length);
    return info;
  } finally {
    release();
  }
}

async function readAll(open: OpenSource, size: number, buffers: PartBuffers): Promise<Uint8Array> {
  try {
    return await readExactly(open, 0, size, buffers);
  } finally {
    await open.close();
  }
}

async function send(
  connection: S3Connection,
  key: string,
  body: Uint8Array,
  { sha256, contentType, signal }: PutOptions,
  more: Readonly<Record<string, string>>,
): Promise<ObjectInfo> {
  const { settings } = connection;
  const headers = {
    ...traitHeaders(settings, { contentType, sha256 }),
    ...(settings.isAws ? { "x-amz-checksum-sha256": checksumHeader(sha256) } : {}),
    ...more,
  };
  try {
    const answer = await connection.send({ method: "PUT", key, headers, body, bodySha256: sha256, signal });
    await answer.readBytes(ANSWER_BYTES_MAX);
    return { key, size: body.length, version: requiredVersion(answer.headers) };
  } catch (error) {
    // AWS answers If-Match on a key that is not there with 404; else a PUT has nothing to miss but the bucket.
    const missing = error instanceof SyncError && error.code === "object_missing";
    throw missing
      ? refusalError({ status: 404, code: "if-match" in more ? "PreconditionFailed" : "NoSuchBucket" })
      : error;
  }
}

/**
 * fetch sends a PUT again by itself when a kept connection breaks (measured on Bun and Deno), and the second one then
 * fails on what the first has written. So each conditional write leaves a mark of its own, and a refusal counts only
 * when the object does not carry it.
 */
async function sendUnderCondition(
  connection: S3Connection,
  key: string,
  body: Uint8Array,
  options: PutOptions,
  precondition: Precondition,
): Promise<ObjectInfo> {
  const writeId = crypto.randomUUID();
  const condition = precondition.kind === "absent" ? { "if-none-match": "*" } : { "if-match": precondition.version };
  try {
    return await send(connection, key, body, options, { ...condition, [`x-amz-meta-${WRITE_ID_METADATA}`]: writeId });
  } catch (error) {
    if (!(error instanceof SyncError) || !JUDGED_BY_THE_OBJECT.has(error.code)) throw error;
    const head = await lookAfter(connection, key, options.signal);
    if (head?.writeId === writeId) return { key, size: head.size, version: head.version };
    // RGW answers 500 to those who lose a race of If-Match.
    const lost = precondition.kind === "version" && head?.version !== precondition.version;
    throw lost ? refusalError({ status: 412, code: "PreconditionFailed" }) : error;
  }
}

/** What the answer to a write that fetch has sent again may be: of the second one, which hides that the first was stored. */
const JUDGED_BY_THE_OBJECT: ReadonlySet<ErrorCode> = new Set([
  "precondition_failed",
  "provider_unavailable",
  "provider_throttled",
]);

/** Until the object can be looked at nobody knows what the write came to: so says the error of a look that may be repeated. */
async function lookAfter(
  connection: S3Connection,
  key: string,
  signal: AbortSignal | undefined,
): Promise<S3ObjectHead | undefined> {
  try {
    return await headObject(connection, key, signal);
  } catch (error) {
    if (!(error instanceof SyncError) || error.code !== "provider_throttled") throw error;
    const { message, retryAfterMs } = error;
    throw new SyncError("provider_unavailable", message, {
      retryable: true,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      cause: error,
    });
  }
}
