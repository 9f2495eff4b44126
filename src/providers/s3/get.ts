import { SyncError } from "../../core/errors.ts";
import type { GetOptions, ObjectContent } from "../contract.ts";
import type { S3Connection } from "./connection.ts";
import type { HttpAnswer } from "../transfer/http.ts";
import { headObject, orMissing, requiredVersion, sizeOf } from "./object-info.ts";
import { refusalIn } from "./refusal.ts";

/** @throws SyncError as `S3Connection.send`; `bad_request` for a range that has no meaning */
export async function getObject(
  connection: S3Connection,
  key: string,
  options: GetOptions,
): Promise<ObjectContent | undefined> {
  const { range, signal } = options;
  if (range === undefined) {
    const answer = await orMissing(connection, connection.send({ method: "GET", key, signal }), signal);
    return await readBy(answer, (whole) => wholeContent(connection, key, whole, signal));
  }
  if (!isPlaceInFile(range.offset) || (range.length !== undefined && !isPlaceInFile(range.length))) {
    throw new SyncError("bad_request", "a range has an offset and a length of whole bytes from 0");
  }
  // S3 has no way to ask for nothing.
  if (range.length === 0) return await emptyContent(connection, key, signal);
  const last = range.length === undefined ? "" : range.offset + range.length - 1;
  const headers = { range: `bytes=${range.offset}-${last}` };
  try {
    const answer = await orMissing(connection, connection.send({ method: "GET", key, headers, signal }), signal);
    return await readBy(answer, async (part) => rangeContent(key, range.offset, part));
  } catch (error) {
    if (refusalIn(error).status === 416) return await emptyContent(connection, key, signal);
    throw error;
  }
}

function isPlaceInFile(bytes: number): boolean {
  return Number.isSafeInteger(bytes) && bytes >= 0;
}

/** What `read` makes of `answer`; a body that it does not take is not waited for. */
async function readBy(
  answer: HttpAnswer | undefined,
  read: (answer: HttpAnswer) => Promise<ObjectContent>,
): Promise<ObjectContent | undefined> {
  if (answer === undefined) return undefined;
  try {
    return await read(answer);
  } catch (error) {
    await answer.stream(0).cancel();
    throw error;
  }
}

async function wholeContent(
  connection: S3Connection,
  key: string,
  answer: HttpAnswer,
  signal: AbortSignal | undefined,
): Promise<ObjectContent> {
  const version = requiredVersion(answer.headers);
  const length = answer.headers.get("content-length");
  const size = length === null ? await sizeByHead(connection, key, version, signal) : sizeOf(length);
  return { key, size, version, body: answer.stream(size) };
}

/** A proxy that passes an answer on in chunks drops its length. @throws SyncError unless HEAD tells it of that version */
async function sizeByHead(
  connection: S3Connection,
  key: string,
  version: string,
  signal: AbortSignal | undefined,
): Promise<number> {
  const head = await headObject(connection, key, signal);
  if (head?.version === version) return head.size;
  throw new SyncError("provider_error", "the object was replaced while it was read; read it again", {
    retryable: true,
  });
}

function rangeContent(key: string, offset: number, answer: HttpAnswer): ObjectContent {
  const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(answer.headers.get("content-range") ?? "") ?? [];
  if (answer.status !== 206 || sizeOf(first) !== offset) {
    throw new SyncError("provider_unsupported", "the store does not answer with the range that was asked for");
  }
  return {
    key,
    size: sizeOf(total),
    version: requiredVersion(answer.headers),
    body: answer.stream(sizeOf(last) + 1 - offset),
  };
}

/** Nothing of an object that exists. */
async function emptyContent(
  connection: S3Connection,
  key: string,
  signal: AbortSignal | undefined,
): Promise<ObjectContent | undefined> {
  const head = await headObject(connection, key, signal);
  if (head === undefined) return undefined;
  const body = new ReadableStream<Uint8Array>({ start: (controller) => controller.close() });
  return { key, size: head.size, version: head.version, body };
}
