import {
  type BodyLength,
  type MessageHead,
  type MessageReader,
  requestBodyLength,
} from "../../faults/http-messages.ts";
import { DriveError } from "./drive-error.ts";

/** One HTTP request: its head read, its body still to come. */
export interface DriveRequest {
  readonly method: string;
  /** Without the query, still percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  /** Bytes of the body, when it says how many. */
  readonly length: number | undefined;
  /** The body's pieces, once. @throws Error when the connection ends inside it */
  readonly pieces: () => AsyncIterable<Uint8Array>;
  /** Whether `pieces` was asked for. */
  readonly isRead: () => boolean;
  /** From now on the connection breaks in the middle of the body. */
  readonly breakInBody: () => void;
}

export function readDriveRequest(head: MessageHead, reader: MessageReader): DriveRequest {
  const [method = "", target = ""] = head.firstLine.split(" ");
  const url = new URL(target, "http://drive.invalid");
  const length = requestBodyLength(head);
  let read = false;
  let breaks = false;
  return {
    method,
    path: url.pathname,
    query: url.searchParams,
    headers: head.headers,
    length: typeof length === "number" ? length : undefined,
    pieces: () => {
      read = true;
      return breaks ? firstHalf(reader.content(length), length) : reader.content(length);
    },
    isRead: () => read,
    breakInBody: () => {
      breaks = true;
    },
  };
}

/** Half of a body, then an error as from a connection that broke. */
async function* firstHalf(pieces: AsyncIterable<Uint8Array>, length: BodyLength): AsyncGenerator<Uint8Array, void> {
  let left = typeof length === "number" ? Math.floor(length / 2) : 1;
  for await (const piece of pieces) {
    yield piece.subarray(0, left);
    left -= Math.min(left, piece.length);
    if (left === 0) break;
  }
  throw new Error("the connection breaks in the middle of a body");
}

/** The whole body. @throws DriveError 413 above `bytesMax` */
export async function readBody(request: DriveRequest, bytesMax: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of request.pieces()) {
    bytes += piece.length;
    if (bytes <= bytesMax) pieces.push(piece);
  }
  if (bytes > bytesMax) throw new DriveError(413, "uploadTooLarge", "Request is too large.");
  return Buffer.concat(pieces);
}
