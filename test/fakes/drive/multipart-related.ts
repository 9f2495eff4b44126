import { badRequest } from "./drive-error.ts";

/** A part of a `multipart/related` body (RFC 2387). */
export interface MultipartPart {
  readonly type: string;
  readonly body: Uint8Array;
}

/** @throws DriveError for a body that is not two parts between the boundary lines that its type names */
export function parseMultipartRelated(contentType: string, body: Buffer): readonly [MultipartPart, MultipartPart] {
  const [, quoted, bare] = /^multipart\/related\s*;.*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType) ?? [];
  const boundary = quoted ?? bare;
  if (boundary === undefined) throw badRequest("Missing multipart boundary.");
  const parts = splitParts(body, Buffer.from(`--${boundary}`, "latin1")).map(parsePart);
  const [metadata, media, ...more] = parts;
  if (metadata === undefined || media === undefined || more.length > 0)
    throw badRequest("Multipart uploads have a part of metadata and a part of media.");
  if (!/^application\/json\b/i.test(metadata.type)) throw badRequest("The first part of the body is not JSON.");
  return [metadata, media];
}

function splitParts(body: Buffer, delimiter: Buffer): Buffer[] {
  if (!body.subarray(0, delimiter.length).equals(delimiter)) throw badRequest("Malformed multipart body.");
  const separator = Buffer.concat([Buffer.from("\r\n"), delimiter]);
  const parts: Buffer[] = [];
  let at = delimiter.length;
  while (body.toString("latin1", at, at + 2) === "\r\n") {
    const end = body.indexOf(separator, at);
    if (end < 0) throw badRequest("Malformed multipart body.");
    parts.push(body.subarray(at + 2, end));
    at = end + separator.length;
  }
  if (body.toString("latin1", at, at + 2) !== "--") throw badRequest("Malformed multipart body.");
  return parts;
}

function parsePart(part: Buffer): MultipartPart {
  const end = part.indexOf("\r\n\r\n");
  if (end < 0) throw badRequest("Malformed multipart body.");
  const head = part.toString("latin1", 0, end);
  return {
    type: /^content-type:\s*(.+)$/im.exec(head)?.[1]?.trim() ?? "",
    body: part.subarray(end + 4),
  };
}
