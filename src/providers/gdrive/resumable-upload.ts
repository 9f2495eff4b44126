import { SyncError } from "../../core/errors.ts";
import type { Hasher } from "../../core/hash.ts";
import type { ByteSource, PutOptions } from "../contract.ts";
import { sha256Hex } from "../../core/hash.ts";
import { checkContent, readExactly } from "../transfer/content.ts";
import type { DriveConnection } from "./connection.ts";
import type { DriveFile } from "./drive-file.ts";
import type { DriveLimits } from "./limits.ts";
import {
  chunkRecord,
  readRecords,
  type RecordedChunk,
  type RecordedUpload,
  sessionRecord,
  type UploadPlan,
} from "./upload-record.ts";
import { isSessionGone, UploadSession, type UploadState } from "./upload-session.ts";
import type { UploadTarget } from "./upload-target.ts";

const GRAIN_BYTES = 262_144;
/** Answers in a row that say that nothing more has arrived. */
const IDLE_ANSWERS_MAX = 3;

/** An upload to go on with. */
interface OpenUpload {
  readonly session: UploadSession;
  /** Bytes that Drive has. */
  readonly received: number;
  /** What those were when they were sent. */
  readonly chunks: readonly RecordedChunk[];
}

/**
 * Sends content in chunks, one after the other, and never the last one before all of it is known to be what was hashed:
 * an upload of other bytes is never complete. With `resume` it goes on where an earlier put ended, as far as Drive says
 * that bytes have arrived and the bytes read now have the digests of those that were sent.
 * @param choose the file to upload to, asked only when a new upload begins
 * @throws SyncError `content_mismatch`, `file_changed`; as `DriveConnection.send`. Its records
 * stay only where a repeat may help
 */
export async function uploadResumable(
  connection: DriveConnection,
  key: string,
  source: ByteSource,
  options: PutOptions,
  choose: () => Promise<UploadTarget>,
  earlier: RecordedUpload | undefined,
): Promise<DriveFile> {
  let reported = 0;
  const onBytes = (bytes: number): void => {
    reported += bytes;
    options.onBytes?.(bytes);
  };
  try {
    return await attempt(connection, key, source, { ...options, onBytes }, choose, earlier);
  } catch (error) {
    if (!(error instanceof OtherBytes)) throw error;
    if (reported !== 0) options.onBytes?.(-reported);
    return await attempt(connection, key, source, options, choose, undefined);
  }
}

/** The bytes that were sent to an upload earlier are not those that the source has now. */
class OtherBytes extends Error {}

/** @throws OtherBytes when the upload that `earlier` leads to cannot be gone on with; they are cleared */
async function attempt(
  connection: DriveConnection,
  key: string,
  source: ByteSource,
  options: PutOptions,
  choose: () => Promise<UploadTarget>,
  earlier: RecordedUpload | undefined,
): Promise<DriveFile> {
  const { resume } = options;
  const opened = await openUpload(connection, key, source.size, options, choose, earlier);
  if ("file" in opened) {
    options.onBytes?.(source.size);
    await resume?.clear();
    return opened.file;
  }
  try {
    const file = await new ChunkSender(connection, opened, options).sendAll(source);
    await resume?.clear();
    return file;
  } catch (error) {
    const goesOn = error instanceof SyncError && (error.code === "aborted" || error.retryable) && !isSessionGone(error);
    if (goesOn) throw error;
    await resume?.clear();
    if (!isSessionGone(error)) throw error;
    throw new SyncError("provider_error", "Drive has lost the upload; it has to start anew", {
      retryable: true,
      cause: error,
    });
  }
}

/** The upload that records lead to, where it is for the same content; undefined otherwise, and they are cleared. */
export async function recordedUpload(
  key: string,
  size: number,
  options: PutOptions,
): Promise<RecordedUpload | undefined> {
  const recorded = options.resume === undefined ? undefined : readRecords(await options.resume.load());
  if (recorded === undefined) return undefined;
  const { plan } = recorded;
  if (plan.key === key && plan.size === size && plan.sha256 === options.sha256) return recorded;
  await options.resume?.clear();
  return undefined;
}

async function openUpload(
  connection: DriveConnection,
  key: string,
  size: number,
  options: PutOptions,
  choose: () => Promise<UploadTarget>,
  earlier: RecordedUpload | undefined,
): Promise<OpenUpload | { readonly file: DriveFile }> {
  const { resume, sha256, signal } = options;
  const session = earlier === undefined ? undefined : UploadSession.at(connection, earlier.sessionUrl);
  const state = await session?.state(size, signal);
  if (session !== undefined && earlier !== undefined && state !== undefined) {
    if ("file" in state) return state;
    const covered = earlier.chunks.some((chunk) => chunk.start + chunk.size >= state.received);
    if (state.received === 0 || covered) return { session, received: state.received, chunks: earlier.chunks };
  }
  if (earlier !== undefined) await resume?.clear();
  const target = await choose();
  const begun = await UploadSession.begin(connection, target, size, signal);
  const plan: UploadPlan = { key, fileId: target.fileId, isNew: target.isNew, size, sha256 };
  await resume?.add(sessionRecord(begun.url, plan));
  return { session: begun, received: 0, chunks: [] };
}

/** Sends what is missing of one upload. */
class ChunkSender {
  readonly #connection: DriveConnection;
  readonly #upload: OpenUpload;
  readonly #options: PutOptions;
  readonly #whole: Hasher;
  #received: number;

  constructor(connection: DriveConnection, upload: OpenUpload, options: PutOptions) {
    this.#connection = connection;
    this.#upload = upload;
    this.#options = options;
    this.#whole = connection.context.newHasher();
    this.#received = upload.received;
  }

  /** Reads all of `source` in order, the part that has arrived too: its digest decides at the end. */
  async sendAll(source: ByteSource): Promise<DriveFile> {
    const { limits, budget, buffers } = this.#connection;
    const { signal } = this.#options;
    const open = await source.open();
    try {
      for (const { start, size } of this.#plan(source.size, limits)) {
        const release = await budget.claim(size, signal);
        try {
          const body = await readExactly(open, start, size, buffers);
          this.#whole.update(body);
          if (start + size === source.size) checkContent(this.#whole.digestHex(), this.#options.sha256);
          const state = await this.#deliver(body, start, source.size);
          this.#options.onBytes?.(size);
          if (open.readInto !== undefined) buffers.giveBack(body);
          if ("file" in state) return state.file;
        } finally {
          release();
        }
      }
    } finally {
      await open.close();
    }
    throw new SyncError("provider_error", "Drive has all bytes of an upload and no file", { retryable: true });
  }

  /** The chunks of earlier puts as they were, as far as bytes have arrived; then new ones. */
  *#plan(total: number, limits: DriveLimits): Iterable<{ readonly start: number; readonly size: number }> {
    let at = 0;
    while (at < this.#upload.received) {
      const recorded = this.#recordedAt(at);
      const size = recorded === undefined ? this.#upload.received - at : recorded.size;
      yield { start: at, size };
      at += size;
    }
    const chunkBytes = chunkBytesFor(total, limits);
    for (; at < total; at += chunkBytes) yield { start: at, size: Math.min(chunkBytes, total - at) };
  }

  #recordedAt(start: number): RecordedChunk | undefined {
    return this.#upload.chunks.findLast((chunk) => chunk.start === start);
  }

  /** Makes sure that Drive has `body`, sending what of it has not arrived. */
  async #deliver(body: Uint8Array, start: number, total: number): Promise<UploadState> {
    const { resume, signal } = this.#options;
    const { session } = this.#upload;
    const sha256 = sha256Hex(this.#connection.context.newHasher, body);
    const end = start + body.length;
    const recorded = this.#recordedAt(start);
    if (this.#received > start && (recorded?.size !== body.length || recorded.sha256 !== sha256)) {
      throw new OtherBytes();
    }
    if (recorded?.sha256 !== sha256 || recorded.size !== body.length)
      await resume?.add(chunkRecord({ start, size: body.length, sha256 }));
    let state: UploadState = { received: this.#received };
    for (let idle = 0; this.#received < end; ) {
      const from = Math.max(start, this.#received);
      if (this.#received < start)
        throw new SyncError("provider_error", "Drive has lost a part of an upload", { retryable: true });
      state = await session.send(body.subarray(from - start), from, total, signal);
      if ("file" in state) return state;
      idle = state.received > this.#received ? 0 : idle + 1;
      this.#received = state.received;
      if (idle >= IDLE_ANSWERS_MAX)
        throw new SyncError("provider_unavailable", "Drive takes no more of an upload", { retryable: true });
    }
    return state;
  }
}

/** A multiple of Drive's grain that keeps the number of chunks within bounds. */
function chunkBytesFor(total: number, { chunkBytesMin, chunkBytesMax, chunksPreferredMax }: DriveLimits): number {
  const wanted = Math.ceil(total / chunksPreferredMax / GRAIN_BYTES) * GRAIN_BYTES;
  return Math.min(chunkBytesMax, Math.max(chunkBytesMin, wanted));
}
