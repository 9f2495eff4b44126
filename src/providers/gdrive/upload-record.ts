import type { JsonObject } from "../../core/json.ts";

/** What decides whether an upload can go on: all of it must be what it was when the upload began. */
export interface UploadPlan {
  readonly key: string;
  readonly fileId: string;
  readonly isNew: boolean;
  /** Bytes. */
  readonly size: number;
  /** Of the whole content, lower-case hex. */
  readonly sha256: string;
}

/** A chunk that was about to be sent. How much of it arrived is Drive's to say; what it held must be the same. */
export interface RecordedChunk {
  readonly start: number;
  /** Bytes. */
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** What an earlier put has left. */
export interface RecordedUpload {
  /** Whoever has this address can send to the upload: it goes into no message. */
  readonly sessionUrl: string;
  readonly plan: UploadPlan;
  /** In the order of the content; one that was sent again is there twice, the last one counts. */
  readonly chunks: readonly RecordedChunk[];
}

export function sessionRecord(sessionUrl: string, { key, fileId, isNew, size, sha256 }: UploadPlan): JsonObject {
  return { session_url: sessionUrl, key, file_id: fileId, is_new: isNew, size, sha256 };
}

export function chunkRecord({ start, size, sha256 }: RecordedChunk): JsonObject {
  return { start, size, sha256 };
}

/** The upload that `records` lead to, the last one begun; undefined when they lead to none. */
export function readRecords(records: readonly JsonObject[]): RecordedUpload | undefined {
  const at = records.findLastIndex((record) => "session_url" in record);
  const { session_url: sessionUrl, key, file_id: fileId, is_new: isNew, size, sha256 } = records[at] ?? {};
  if (typeof sessionUrl !== "string" || typeof key !== "string" || typeof fileId !== "string") return undefined;
  if (typeof isNew !== "boolean" || typeof size !== "number" || typeof sha256 !== "string") return undefined;
  const chunks: RecordedChunk[] = [];
  for (const { start, size: bytes, sha256: digest } of records.slice(at + 1)) {
    if (typeof start === "number" && typeof bytes === "number" && typeof digest === "string")
      chunks.push({ start, size: bytes, sha256: digest });
  }
  return { sessionUrl, plan: { key, fileId, isNew, size, sha256 }, chunks };
}
