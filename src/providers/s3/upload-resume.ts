import { SyncError } from "../../core/errors.ts";
import type { ObjectInfo, PutOptions, UnfinishedPuts, UploadRecords } from "../contract.ts";
import type { S3Connection } from "./connection.ts";
import { Lane } from "../transfer/lane.ts";
import { isUploadGone, type MultipartUploads } from "./multipart.ts";
import type { ListedPart, MultipartUpload } from "./multipart-upload.ts";
import { headObject } from "./object-info.ts";
import { planParts } from "./part-plan.ts";
import { refusalIn } from "./refusal.ts";
import { readRecords, type RecordedPart, type RecordedUpload, type UploadPlan, uploadRecord } from "./upload-record.ts";

/** An upload to send parts to. */
export interface OpenUpload {
  readonly upload: MultipartUpload;
  /** By number, what the store has from an earlier attempt. Whether that is the content's has to be looked at. */
  readonly arrived: ReadonlyMap<number, ArrivedPart>;
}

/** A part that the store lists, with our own record of it unless that was lost or is of other bytes. */
export interface ArrivedPart {
  readonly listed: ListedPart;
  readonly recorded: RecordedPart | undefined;
}

/** There is nothing to send: an earlier attempt was complete, and only its answer was lost. */
export interface FinishedUpload {
  readonly finished: ObjectInfo;
}

/**
 * The upload that the records lead to, where it is for the same content and the store has it still; else a new one, and
 * what the records led to is removed.
 * @throws SyncError as `S3Connection.send`
 */
export async function openUpload(
  connection: S3Connection,
  uploads: MultipartUploads,
  plan: UploadPlan,
  options: PutOptions,
): Promise<OpenUpload | FinishedUpload> {
  const { resume, signal } = options;
  const recorded = resume === undefined ? undefined : readRecords(await resume.load());
  if (recorded?.isFor(plan) === true) {
    const found = await findUpload(connection, uploads, plan, recorded, signal);
    if (found !== undefined) return found;
  }
  // Also an upload whose parts may not be listed: it could not be gone on with next time either.
  if (recorded !== undefined) await uploads.abort(recorded.upload);
  const { contentType, sha256 } = options;
  const upload = await uploads.begin(plan.key, { contentType, sha256 }, connection.settings.isAws, signal);
  // The old records stay until here: when the store could not be reached they lead to what is left to remove.
  if (recorded !== undefined) await resume?.clear();
  await resume?.add(uploadRecord(upload, plan));
  return { upload, arrived: new Map() };
}

/** undefined when the upload cannot be gone on with. */
async function findUpload(
  connection: S3Connection,
  uploads: MultipartUploads,
  plan: UploadPlan,
  recorded: RecordedUpload,
  signal: AbortSignal | undefined,
): Promise<OpenUpload | FinishedUpload | undefined> {
  try {
    const listed = await uploads.parts(recorded.upload, signal);
    const arrived = [...listed].map(([number, part]): [number, ArrivedPart] => {
      const record = recorded.parts.get(number);
      return [number, { listed: part, recorded: record?.etag === part.etag ? record : undefined }];
    });
    return { upload: recorded.upload, arrived: new Map(arrived) };
  } catch (error) {
    if (!isUploadGone(error)) {
      if (mayGoOnAfter(error)) throw error;
      return undefined;
    }
  }
  const head = await headObject(connection, plan.key, signal);
  if (head?.sha256 !== plan.sha256 || head.size !== plan.size) return undefined;
  if (isOfOtherParts(uploads, head.version, plan, recorded)) return undefined;
  return { finished: { key: plan.key, size: head.size, version: head.version } };
}

function isOfOtherParts(uploads: MultipartUploads, etag: string, plan: UploadPlan, { parts }: RecordedUpload): boolean {
  const planned = Array.from(planParts(plan.size, plan.partBytes), ({ number }) => parts.get(number));
  const known = planned.filter((part) => part !== undefined);
  return known.length === planned.length && uploads.isOfOthers(etag, known);
}

/** The upload itself is what the store does not take: it would not take it next time either. */
const UPLOAD_IS_BAD: ReadonlySet<unknown> = new Set(["NoSuchUpload", "InvalidPart", "InvalidPartOrder"]);

/** True for errors after which the parts that have arrived are worth keeping. */
export function mayGoOnAfter(error: unknown): boolean {
  if (!(error instanceof SyncError)) return false;
  return error.code === "aborted" || (error.retryable && !UPLOAD_IS_BAD.has(refusalIn(error).s3_code));
}

/** Removes `upload`. Its records stay when it could not be removed: a later put goes on with it or removes it then. */
export async function giveUp(
  uploads: MultipartUploads,
  upload: MultipartUpload,
  records: UploadRecords | undefined,
): Promise<void> {
  if (await uploads.abort(upload)) await records?.clear();
}

/** The same for whatever `records` lead to. */
export async function discardQuietly(uploads: MultipartUploads, records: UploadRecords): Promise<void> {
  const recorded = readRecords(await records.load());
  if (recorded !== undefined) await giveUp(uploads, recorded.upload, records);
}

/** What puts have left in this bucket. */
export function unfinishedPuts(connection: S3Connection, uploads: MultipartUploads): UnfinishedPuts {
  return {
    discard: async (records, { signal } = {}) => {
      const recorded = readRecords(await records.load());
      if (recorded !== undefined) await uploads.remove(recorded.upload, signal);
      await records.clear();
    },
    discardOthers: async (prefix, recordsOf, { signal } = {}) => {
      const lane = new Lane<void>(connection.limits.deletesAtOnce, signal);
      try {
        for (const upload of await uploads.under(prefix, signal)) {
          const kept = readRecords((await recordsOf(upload.key)?.load()) ?? []);
          if (kept?.upload.uploadId !== upload.uploadId) await lane.add(() => uploads.remove(upload, lane.signal));
        }
        await lane.results();
      } catch (error) {
        throw await lane.fail(error);
      }
    },
  };
}
