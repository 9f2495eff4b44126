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
    return answer === undefined ? undefined : wholeContent(key, answer);
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
    return answer === undefined ? undefined : rangeContent(key, range.offset, answer);
  } catch (error) {
    if (refusalIn(error).status === 416) return await emptyContent(connection, key, signal);
    throw error;
  }
}

function isPlaceInFile(bytes: number): boolean {
  return Number.isSafeInteger(bytes) && bytes >= 0;
}

function wholeContent(key: string, answer: HttpAnswer): ObjectContent {
  const size = sizeOf(answer.headers.get("content-length"));
  return { key, size, version: requiredVersion(answer.headers), body: answer.stream(size) };
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
