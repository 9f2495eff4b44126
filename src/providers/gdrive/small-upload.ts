import type { DriveConnection } from "./connection.ts";
import { type DriveFile, readDriveFile } from "./drive-file.ts";
import { parseAnswer } from "./drive-files.ts";
import { type UploadTarget, uploadRequest } from "./upload-target.ts";

const ANSWER_BYTES_MAX = 64 * 1024;
const utf8 = new TextEncoder();

/** Metadata and content as one body, or undefined when it is more than one request may carry. */
export function multipartBody(
  { metadata, contentType }: UploadTarget,
  content: Uint8Array,
  bytesMax: number,
): { readonly body: Uint8Array; readonly boundary: string } | undefined {
  // 122 random bits: not in the content but by a miracle, and then Drive's checksum tells.
  const boundary = crypto.randomUUID();
  const head = utf8.encode(
    `--${boundary}\r\ncontent-type: application/json; charset=UTF-8\r\n\r\n${JSON.stringify(metadata)}\r\n` +
      `--${boundary}\r\ncontent-type: ${contentType}\r\n\r\n`,
  );
  const tail = utf8.encode(`\r\n--${boundary}--\r\n`);
  const size = head.length + content.length + tail.length;
  if (size > bytesMax) return undefined;
  const body = new Uint8Array(size);
  body.set(head, 0);
  body.set(content, head.length);
  body.set(tail, head.length + content.length);
  return { body, boundary };
}

/** Sends a body of `multipartBody`; the file as Drive has stored it. @throws SyncError as `DriveConnection.send` */
export async function sendMultipart(
  connection: DriveConnection,
  target: UploadTarget,
  { body, boundary }: { readonly body: Uint8Array; readonly boundary: string },
  signal: AbortSignal | undefined,
): Promise<DriveFile> {
  const answer = await connection.send({
    ...uploadRequest(connection, target, "multipart"),
    headers: { "content-type": `multipart/related; boundary=${boundary}` },
    body,
    addsContent: true,
    signal,
  });
  return readDriveFile(parseAnswer(new TextDecoder().decode(await answer.readBytes(ANSWER_BYTES_MAX))));
}
