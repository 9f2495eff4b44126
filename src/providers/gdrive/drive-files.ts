import { drive_v3 } from "googleapis/build/src/apis/drive/v3.js";
import { SyncError } from "../../core/errors.ts";
import type { DriveConnection } from "./connection.ts";
import { type DriveFile, FILE_FIELDS, readDriveFile } from "./drive-file.ts";
import { reasonOf, statusOf } from "./refusal.ts";

/** A thousand files with all that is asked about each. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;
const PAGE_FILES = 1_000;

/** Metadata to write. A property that is null goes away. */
export interface FileMetadata {
  readonly id?: string;
  readonly name?: string;
  readonly mimeType?: string;
  readonly parents?: readonly string[];
  readonly trashed?: boolean;
  readonly appProperties?: Readonly<Record<string, string | null>>;
}

/** What the library hands to its auth client: one request, made but not sent. */
interface MadeRequest {
  readonly url: string;
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly paramsSerializer?: (params: Readonly<Record<string, unknown>>) => string;
  readonly data?: unknown;
  readonly signal?: AbortSignal;
}

/**
 * The calls that carry metadata alone. googleapis makes their requests; tokens, sending, time limits and refusals are
 * ours (connection.ts). So the library never sees the key or a token, retries nothing, reads no proxy or universe from
 * the environment, and none of its errors, which hold whole requests, come about. Content goes its own ways
 * (small-upload.ts, resumable-upload.ts, get.ts).
 */
export class DriveFiles {
  readonly #files: drive_v3.Resource$Files;

  constructor(connection: DriveConnection) {
    const options = {
      version: "v3" as const,
      rootUrl: `${connection.endpoints.origin}/`,
      universeDomain: "googleapis.com",
      auth: new RequestSender(connection),
    };
    // Of an auth client the library calls `request` and nothing else.
    this.#files = new drive_v3.Drive(options as unknown as drive_v3.Options).files;
  }

  /** undefined when there is no such file, or none that this account may see. */
  async get(fileId: string, signal: AbortSignal | undefined): Promise<DriveFile | undefined> {
    try {
      const { data } = await this.#files.get({ fileId, fields: FILE_FIELDS, supportsAllDrives: true }, call(signal));
      return readDriveFile(data);
    } catch (error) {
      if (error instanceof SyncError && error.code === "object_missing") return undefined;
      throw error;
    }
  }

  /**
   * Every file that `q` finds, each once. Pages may be short or empty: only a missing token ends the listing.
   * @param driveId the shared drive to search; undefined: the account's own files and what is shared with it
   */
  async *list(
    q: string,
    driveId: string | undefined,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<DriveFile, void, undefined> {
    const where = driveId === undefined ? { corpora: "user" } : { corpora: "drive", driveId };
    const given = new Set<string>();
    let pageToken: string | undefined;
    do {
      const { data } = await this.#page({ ...where, q, ...(pageToken === undefined ? {} : { pageToken }) }, signal);
      if (data.incompleteSearch === true)
        throw new SyncError("provider_error", "Drive has searched a part of its files only", { retryable: true });
      for (const file of data.files ?? []) {
        const read = readDriveFile(file);
        if (!given.has(read.id)) yield read;
        given.add(read.id);
      }
      pageToken = data.nextPageToken ?? undefined;
    } while (pageToken !== undefined);
  }

  /** A file without content, or a folder. */
  async create(requestBody: FileMetadata, signal: AbortSignal | undefined): Promise<DriveFile> {
    const parameters = { requestBody: asBody(requestBody), fields: FILE_FIELDS, supportsAllDrives: true };
    return readDriveFile((await this.#files.create(parameters, call(signal))).data);
  }

  async update(fileId: string, requestBody: FileMetadata, signal: AbortSignal | undefined): Promise<DriveFile> {
    const parameters = { fileId, requestBody: asBody(requestBody), fields: FILE_FIELDS, supportsAllDrives: true };
    return readDriveFile((await this.#files.update(parameters, call(signal))).data);
  }

  async copy(fileId: string, requestBody: FileMetadata, signal: AbortSignal | undefined): Promise<DriveFile> {
    const parameters = { fileId, requestBody: asBody(requestBody), fields: FILE_FIELDS, supportsAllDrives: true };
    return readDriveFile((await this.#files.copy(parameters, call(signal))).data);
  }

  /** For good. @throws SyncError `object_missing` when it is gone already */
  async remove(fileId: string, signal: AbortSignal | undefined): Promise<void> {
    await this.#files.delete({ fileId, supportsAllDrives: true }, call(signal));
  }

  /** Ids that only this account may use, each once: what is created under one is created once. */
  async generateIds(count: number, signal: AbortSignal | undefined): Promise<readonly string[]> {
    const { data } = await this.#files.generateIds({ count, space: "drive", type: "files" }, call(signal));
    const ids = data.ids ?? [];
    if (ids.length === 0) throw new SyncError("provider_error", "Drive gives no ids for files", { retryable: true });
    return ids;
  }

  async #page(parameters: drive_v3.Params$Resource$Files$List, signal: AbortSignal | undefined) {
    const fields = `nextPageToken,incompleteSearch,files(${FILE_FIELDS})`;
    const all = {
      ...parameters,
      fields,
      pageSize: PAGE_FILES,
      supportsAllDrives: true,
      includeItemsFromAllDrives: true,
    };
    try {
      return await this.#files.list(all, call(signal));
    } catch (error) {
      // A token of a listing that has taken too long is refused; the listing has to start again.
      if (parameters.pageToken === undefined || statusOf(error) !== 400 || reasonOf(error) !== undefined) throw error;
      throw new SyncError("provider_error", "Drive's listing has run out on its way", {
        retryable: true,
        cause: error,
      });
    }
  }
}

/** Stands where the library expects an auth client. */
class RequestSender {
  readonly #connection: DriveConnection;

  constructor(connection: DriveConnection) {
    this.#connection = connection;
  }

  async request({ url, method, params, paramsSerializer, data, signal }: MadeRequest) {
    const query = params === undefined ? "" : `?${paramsSerializer?.(params) ?? ""}`;
    const body = data === undefined ? undefined : new TextEncoder().encode(JSON.stringify(data));
    const answer = await this.#connection.send({
      method,
      url: url + query,
      ...(body === undefined ? {} : { body, headers: { "content-type": "application/json; charset=UTF-8" } }),
      addsContent: method === "POST",
      signal,
    });
    const text = new TextDecoder().decode(await answer.readBytes(ANSWER_BYTES_MAX));
    return { status: answer.status, headers: answer.headers, data: text === "" ? {} : parseAnswer(text) };
  }
}

/** @throws SyncError `provider_error` for what is no JSON: a page of a proxy, or an answer cut short */
export function parseAnswer(text: string): drive_v3.Schema$File {
  try {
    return JSON.parse(text) as drive_v3.Schema$File;
  } catch {
    throw new SyncError("provider_error", "Drive's answer cannot be read; is a proxy in between?", { retryable: true });
  }
}

function call(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

/** The library's types are its own generator's: lists that may change, and nothing that is null. */
function asBody({ parents, appProperties, ...rest }: FileMetadata): drive_v3.Schema$File {
  return {
    ...rest,
    ...(parents === undefined ? {} : { parents: [...parents] }),
    ...(appProperties === undefined ? {} : { appProperties: appProperties as Record<string, string> }),
  };
}
