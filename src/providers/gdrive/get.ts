import { SyncError } from "../../core/errors.ts";
import type { GetOptions, ObjectContent } from "../contract.ts";
import { joined } from "../transfer/bytes.ts";
import { sha256Hex } from "../../core/hash.ts";
import type { HttpAnswer } from "../transfer/http.ts";
import type { Catalog } from "./catalog.ts";
import type { DriveConnection } from "./connection.ts";
import type { DriveFile } from "./drive-file.ts";
import type { DrivePlace } from "./names.ts";
import { statusOf } from "./refusal.ts";

/** How often an object is read anew because it was replaced while it was looked at. */
const LOOKS_MAX = 12;

/**
 * Drive tells of a file and gives its content in two requests, between which another writer may have replaced it. Whole
 * content is compared with the digest that goes with the version; of a part the file is looked at once more after the
 * answer has begun.
 * @throws SyncError as `Catalog.locate`; `bad_request` for a range that has no meaning
 */
export async function getObject(
  connection: DriveConnection,
  catalog: Catalog,
  key: string,
  place: DrivePlace,
  options: GetOptions,
): Promise<ObjectContent | undefined> {
  const { range, signal } = options;
  const from = range?.offset ?? 0;
  if (!isPlaceInFile(from) || (range?.length !== undefined && !isPlaceInFile(range.length)))
    throw new SyncError("bad_request", "a range has an offset and a length of whole bytes from 0");
  let file = await catalog.locate(key, place, signal);
  for (let look = 1; file !== undefined && look <= LOOKS_MAX; look++) {
    const { size = 0, version } = file;
    const length = Math.max(0, Math.min(size - from, range?.length ?? Number.POSITIVE_INFINITY));
    if (length === 0) return { key, size, version, body: emptyBody() };
    const answer = await media(connection, file, from, length, signal);
    const body =
      answer === undefined ? undefined : await checkedBody(connection, catalog, file, answer, length, signal);
    if (body !== undefined) return { key, size, version, body };
    file = await catalog.locate(key, place, signal);
  }
  if (file === undefined) return undefined;
  throw new SyncError("provider_error", "the object is replaced again and again while it is read", { retryable: true });
}

/** undefined when the file is gone or has become shorter. */
async function media(
  connection: DriveConnection,
  { id, size = 0 }: DriveFile,
  from: number,
  length: number,
  signal: AbortSignal | undefined,
): Promise<HttpAnswer | undefined> {
  const url = `${connection.endpoints.origin}/drive/v3/files/${encodeURIComponent(id)}?alt=media&supportsAllDrives=true`;
  const headers = length === size ? {} : { range: `bytes=${from}-${from + length - 1}` };
  try {
    return await connection.send({ method: "GET", url, headers, signal });
  } catch (error) {
    if (statusOf(error) === 404 || statusOf(error) === 416) return undefined;
    throw error;
  }
}

/** undefined when what comes is not of `file`'s version. */
async function checkedBody(
  connection: DriveConnection,
  catalog: Catalog,
  file: DriveFile,
  answer: HttpAnswer,
  length: number,
  signal: AbortSignal | undefined,
): Promise<ReadableStream<Uint8Array> | undefined> {
  const { size = 0, sha256, id, version } = file;
  const isWhole = length === size;
  if (isWhole && sha256 !== undefined && size <= connection.limits.checkedInMemoryBytesMax) {
    const bytes = joined(await chunksOf(answer.stream(Number(answer.headers.get("content-length") ?? size))));
    return sha256Hex(connection.context.newHasher, bytes) === sha256 ? bodyOf(bytes) : undefined;
  }
  const announced = answer.headers.get("content-length");
  const now = await catalog.files.get(id, signal);
  if (now?.version !== version || (announced !== null && Number(announced) !== length)) {
    await answer.stream(length).cancel();
    return undefined;
  }
  if (!isWhole && answer.status !== 206) {
    await answer.stream(length).cancel();
    throw new SyncError("provider_error", "Drive does not answer with the range that was asked for", {
      retryable: true,
    });
  }
  return answer.stream(length);
}

async function chunksOf(body: ReadableStream<Uint8Array>): Promise<Uint8Array[]> {
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) chunks.push(chunk.value);
  return chunks;
}

function bodyOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    start: (controller) => {
      controller.enqueue(bytes);
      controller.close();
    },
  });
}

function emptyBody(): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({ start: (controller) => controller.close() });
}

function isPlaceInFile(bytes: number): boolean {
  return Number.isSafeInteger(bytes) && bytes >= 0;
}
