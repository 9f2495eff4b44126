import { isJsonObject, type JsonObject } from "../../core/json.ts";
import type { MultipartUpload } from "./multipart-upload.ts";

/** What decides whether an upload can go on: all of it must be what it was when the upload began. */
export interface UploadPlan {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** Of the whole content, lower-case hex. */
  readonly sha256: string;
  readonly partBytes: number;
  /** As the object will keep them: type, storage class, encryption. */
  readonly traits: Readonly<Record<string, string>>;
}

/** A part that has arrived, with the hash of the bytes that were sent: the ETag need not be one. */
export interface RecordedPart {
  /** Bytes. */
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly etag: string;
}

/** What an earlier put has left. */
export interface RecordedUpload {
  readonly upload: MultipartUpload;
  /** True when `plan` is the one that the upload began with. */
  isFor(plan: UploadPlan): boolean;
  /** By number, from 1. */
  readonly parts: ReadonlyMap<number, RecordedPart>;
}

/** The first record of an upload; one record a part follows it. */
export function uploadRecord({ uploadId }: MultipartUpload, plan: UploadPlan): JsonObject {
  return { upload_id: uploadId, ...planFields(plan) };
}

export function partRecord(number: number, { size, sha256, etag }: RecordedPart): JsonObject {
  return { number, size, sha256, etag };
}

/** The upload that `records` lead to, the last one begun; undefined when they lead to none. */
export function readRecords(records: readonly JsonObject[]): RecordedUpload | undefined {
  const at = records.findLastIndex((record) => "upload_id" in record);
  const { upload_id: uploadId, ...begun } = records[at] ?? {};
  const key = begun["key"];
  if (typeof uploadId !== "string" || uploadId === "" || typeof key !== "string") return undefined;
  const parts = new Map<number, RecordedPart>();
  for (const { number, size, sha256, etag } of records.slice(at + 1)) {
    if (typeof number !== "number" || typeof size !== "number") continue;
    if (typeof sha256 === "string" && typeof etag === "string") parts.set(number, { size, sha256, etag });
  }
  return { upload: { key, uploadId }, isFor: (plan) => canonical(begun) === canonical(planFields(plan)), parts };
}

function planFields({ key, size, sha256, partBytes, traits }: UploadPlan): JsonObject {
  return { key, size, sha256, part_bytes: partBytes, traits };
}

/** The same text for the same content, whatever the order of the fields. */
function canonical(value: JsonObject): string {
  const sorted = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(sorted.map(([name, inner]) => [name, isJsonObject(inner) ? canonical(inner) : inner]));
}
