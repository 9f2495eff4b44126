import { SyncError } from "../../core/errors.ts";
import type { DriveConnection } from "./connection.ts";
import { type DriveFile, readDriveFile } from "./drive-file.ts";
import { parseAnswer } from "./drive-files.ts";
import { statusOf } from "./refusal.ts";
import { type UploadTarget, uploadRequest } from "./upload-target.ts";

const ANSWER_BYTES_MAX = 64 * 1024;
const GOES_ON = 308;

/** What an upload has come to: complete, or how many bytes Drive has, from the first on. */
export type UploadState = { readonly file: DriveFile } | { readonly received: number };

/**
 * Drive's resumable protocol, one request a method. Nothing of an upload can be seen before it is complete; one that
 * nobody goes on with is dropped by Drive after a week, and no documented call drops it sooner.
 */
export class UploadSession {
  readonly #connection: DriveConnection;
  /** A secret: whoever knows it can send. */
  readonly url: string;

  private constructor(connection: DriveConnection, url: string) {
    this.#connection = connection;
    this.url = url;
  }

  /** @throws SyncError as `DriveConnection.send` */
  static async begin(
    connection: DriveConnection,
    target: UploadTarget,
    size: number,
    signal: AbortSignal | undefined,
  ): Promise<UploadSession> {
    const answer = await connection.send({
      ...uploadRequest(connection, target, "resumable"),
      headers: {
        "content-type": "application/json; charset=UTF-8",
        "x-upload-content-type": target.contentType,
        "x-upload-content-length": String(size),
      },
      body: new TextEncoder().encode(JSON.stringify(target.metadata)),
      addsContent: true,
      signal,
    });
    await answer.readBytes(ANSWER_BYTES_MAX);
    const session = UploadSession.at(connection, answer.headers.get("location") ?? "");
    if (session === undefined)
      throw new SyncError("provider_error", "Drive began an upload and did not say where it goes", { retryable: true });
    return session;
  }

  /** One that was begun earlier. undefined for an address that is not Drive's own: no token goes there. */
  static at(connection: DriveConnection, url: string): UploadSession | undefined {
    const { origin } = connection.endpoints;
    return url.startsWith(`${origin}/upload/`) ? new UploadSession(connection, url) : undefined;
  }

  /** Asks how far it is. undefined when Drive knows it no more. @throws SyncError as `DriveConnection.send` */
  async state(size: number, signal: AbortSignal | undefined): Promise<UploadState | undefined> {
    try {
      return await this.#put(new Uint8Array(0), `bytes */${size}`, false, signal);
    } catch (error) {
      if (isSessionGone(error)) return undefined;
      throw error;
    }
  }

  /** Sends the bytes from `start` on, of `size` in all. @throws SyncError as `DriveConnection.send` */
  async send(chunk: Uint8Array, start: number, size: number, signal: AbortSignal | undefined): Promise<UploadState> {
    return await this.#put(chunk, `bytes ${start}-${start + chunk.length - 1}/${size}`, true, signal);
  }

  async #put(
    body: Uint8Array,
    contentRange: string,
    addsContent: boolean,
    signal: AbortSignal | undefined,
  ): Promise<UploadState> {
    const headers = { "content-range": contentRange, ...(body.length === 0 ? { "content-length": "0" } : {}) };
    const request = { method: "PUT", url: this.url, headers, accepts: [GOES_ON], addsContent, signal };
    const answer = await this.#connection.send({ ...request, ...(body.length === 0 ? {} : { body }) });
    const bytes = await answer.readBytes(ANSWER_BYTES_MAX);
    if (answer.status !== GOES_ON) return { file: readDriveFile(parseAnswer(new TextDecoder().decode(bytes))) };
    return { received: receivedOf(answer.headers.get("range")) };
  }
}

/** True for the error of an upload that Drive does not know: it has run out, after a week at the latest. */
export function isSessionGone(error: unknown): boolean {
  const status = statusOf(error);
  return status === 404 || status === 410;
}

/** `bytes=0-N`; absent when nothing has arrived. @throws SyncError `provider_error` for anything else */
function receivedOf(range: string | null): number {
  if (range === null) return 0;
  const [, last] = /^bytes=0-(\d{1,15})$/.exec(range) ?? [];
  if (last === undefined)
    throw new SyncError("provider_error", "Drive does not say how much of an upload has arrived", { retryable: true });
  return Number(last) + 1;
}
