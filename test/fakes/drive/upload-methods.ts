import { type Answer, emptyAnswer } from "./answer.ts";
import { type Call, checkFileFields, fileAnswer } from "./call.ts";
import { parseContentRange } from "./content-range.ts";
import { corrupted } from "./corrupted.ts";
import { badRequest, DriveError } from "./drive-error.ts";
import { readBody } from "./drive-request.ts";
import { FileChanges, type Media } from "./file-changes.ts";
import { changeOptions, metadataOf } from "./file-methods.ts";
import { type FileMetadata, parseFileMetadata } from "./file-metadata.ts";
import { parseMultipartRelated } from "./multipart-related.ts";
import { CHUNK_UNIT_BYTES, sessionEnded, type UploadSession, type UploadSessions } from "./upload-session.ts";

/** What one request may carry of a file; larger ones take a session. */
const SINGLE_UPLOAD_BYTES_MAX = 5 * 1024 * 1024;
/** Of the metadata and boundary lines around it. */
const ENVELOPE_BYTES_MAX = 64 * 1024;

/** `uploadType=multipart`: metadata and content in one request. */
export async function multipartUpload(call: Call): Promise<Answer> {
  const body = await readBody(call.request, SINGLE_UPLOAD_BYTES_MAX + ENVELOPE_BYTES_MAX);
  const [metadata, media] = parseMultipartRelated(call.request.headers.get("content-type") ?? "", body);
  return change(call, parseFileMetadata(metadata.body), received(call, media));
}

/** `uploadType=media`: content alone. */
export async function mediaUpload(call: Call): Promise<Answer> {
  const body = await readBody(call.request, SINGLE_UPLOAD_BYTES_MAX);
  return change(call, {}, received(call, { body, type: call.request.headers.get("content-type") ?? "" }));
}

function received(call: Call, { body, type }: { readonly body: Uint8Array; readonly type: string }): Media {
  if (body.length > SINGLE_UPLOAD_BYTES_MAX)
    throw new DriveError(413, "uploadTooLarge", "Files above 5 MB take a resumable upload.");
  call.logged.contentBytesIn = body.length;
  return {
    bytes: call.fault?.kind === "corrupt_upload" ? corrupted(body) : body,
    type: type === "" ? undefined : type,
  };
}

function change(call: Call, metadata: FileMetadata, media: Media): Answer {
  checkFileFields(call);
  const changes = new FileChanges(call.store, call.access, call.clock);
  const options = changeOptions(call);
  const record =
    call.id === "" ? changes.create(metadata, media, options) : changes.update(call.id, metadata, media, options);
  return fileAnswer(call, record);
}

/** `uploadType=resumable`: opens a session and tells where it is. */
export async function openSession(call: Call, sessions: UploadSessions): Promise<Answer> {
  const metadata = await metadataOf(call);
  const options = changeOptions(call);
  const changes = new FileChanges(call.store, call.access, call.clock);
  const length = call.request.headers.get("x-upload-content-length");
  if (length !== undefined && !/^\d+$/.test(length)) throw badRequest("Invalid X-Upload-Content-Length.");
  const total = length === undefined ? undefined : Number(length);
  if (call.id === "") changes.checkCreate(metadata, total ?? 0, options);
  else changes.checkUpdate(call.id, metadata, options);
  const session = sessions.open({
    fileId: call.id === "" ? undefined : call.id,
    metadata,
    options,
    owner: call.access.session,
    type: call.request.headers.get("x-upload-content-type"),
    total,
    fields: call.parameters.text("fields"),
  });
  call.logged.uploadId = session.id;
  const location = `${call.origin}${call.request.path}?uploadType=resumable&upload_id=${session.id}`;
  return emptyAnswer(200, { location, "x-guploader-uploadid": session.id });
}

/** `PUT` to a session: a chunk, or the question how much is there. */
export async function continueSession(call: Call, sessions: UploadSessions): Promise<Answer> {
  const session = findSession(call, sessions);
  call.logged.uploadId = session.id;
  const range = parseContentRange(call.request.headers.get("content-range"));
  if (range.kind === "status") {
    const body = await readBody(call.request, 0);
    if (body.length > 0) throw badRequest("A status request has no body.");
    checkTotal(session, range.total);
    return finishIfWhole(call, session, range.total);
  }
  const first = range.kind === "whole" ? 0 : range.first;
  const length = range.kind === "whole" ? call.request.length : range.last - range.first + 1;
  const total = range.kind === "whole" ? call.request.length : range.total;
  if (length === undefined) throw new DriveError(411, "lengthRequired", "Content-Length is required.");
  checkTotal(session, total);
  if (session.done !== undefined) return finishIfWhole(call, session, total);
  checkChunk(session, first, length, total);
  await receiveChunk(call, session, first, length);
  return finishIfWhole(call, session, total);
}

function findSession(call: Call, sessions: UploadSessions): UploadSession {
  const id = call.parameters.text("upload_id") ?? "";
  if (call.fault?.kind === "session_lost") {
    sessions.end(id);
    throw sessionEnded(call.fault.status);
  }
  const session = sessions.find(id);
  if ((session.plan.fileId ?? "") !== call.id) throw sessionEnded(404);
  return session;
}

function checkTotal(session: UploadSession, total: number | undefined): void {
  const known = session.plan.total;
  if (total !== undefined && known !== undefined && total !== known)
    throw badRequest(`The total of the Content-Range is not the ${known} bytes that the session was opened for.`);
}

function checkChunk(session: UploadSession, first: number, length: number, total: number | undefined): void {
  if (first > session.received)
    throw new DriveError(
      503,
      "uploadOffsetTooLarge",
      `Invalid request.  According to the Content-Range header, the upload offset is ${first} byte(s), which exceeds ` +
        `already uploaded size of ${session.received} byte(s).`,
    );
  if (first + length !== total && length % CHUNK_UNIT_BYTES !== 0)
    throw badRequest(`The chunk is ${length} bytes long: all but the last are multiples of ${CHUNK_UNIT_BYTES}.`);
}

/** Takes the chunk in. When the connection breaks the session keeps the whole units that arrived. */
async function receiveChunk(call: Call, session: UploadSession, first: number, length: number): Promise<void> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  let whole = false;
  call.logged.offset = first;
  try {
    for await (const piece of call.request.pieces()) {
      pieces.push(piece);
      call.logged.contentBytesIn += piece.length;
      call.logged.contentBytesAgain += session.noteSent(first + bytes, piece.length);
      bytes += piece.length;
    }
    if (bytes !== length) throw badRequest(`The Content-Range names ${length} bytes and the body has ${bytes}.`);
    whole = true;
  } finally {
    const chunk = Buffer.concat(pieces);
    const kept = call.fault?.kind === "keep_less" ? Math.min(call.fault.bytes, bytes) : bytes;
    const end = whole && kept === bytes ? bytes : Math.floor(kept / CHUNK_UNIT_BYTES) * CHUNK_UNIT_BYTES;
    if (whole || bytes <= length)
      session.append(
        first,
        call.fault?.kind === "corrupt_upload" ? corrupted(chunk.subarray(0, end)) : chunk.subarray(0, end),
      );
  }
}

function finishIfWhole(call: Call, session: UploadSession, total: number | undefined): Answer {
  const { plan } = session;
  if (session.done === undefined && total === session.received) {
    const changes = new FileChanges(call.store, call.access, call.clock);
    const media = { bytes: session.bytes, type: plan.type };
    session.done =
      plan.fileId === undefined
        ? changes.create(plan.metadata, media, plan.options)
        : changes.update(plan.fileId, plan.metadata, media, plan.options);
  }
  if (session.done !== undefined) return fileAnswer(call, session.done, plan.fields);
  const range: Record<string, string> = session.received === 0 ? {} : { range: `bytes=0-${session.received - 1}` };
  return emptyAnswer(308, { ...range, "x-guploader-uploadid": session.id });
}
