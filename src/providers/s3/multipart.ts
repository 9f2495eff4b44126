import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
} from "@aws-sdk/client-s3";
import { SyncError } from "../../core/errors.ts";
import type { ObjectInfo } from "../contract.ts";
import { versionOf } from "./address.ts";
import { CompositeEtags } from "./composite-etag.ts";
import type { S3Connection } from "./connection.ts";
import type { S3Control } from "./control.ts";
import { listParts, listUploads } from "./multipart-listing.ts";
import type { ListedPart, MultipartUpload, StoredPart } from "./multipart-upload.ts";
import { headObject, type ObjectTraits, SHA256_METADATA, traitInputs } from "./object-info.ts";
import { refusalIn } from "./refusal.ts";

/** What the finished object must be. */
export interface ExpectedObject {
  readonly size: number;
  /** Undefined for copies of objects whose hash nobody recorded. */
  readonly sha256: string | undefined;
}

/** RGW answers ListParts of such an upload with the second one (measured). */
const UPLOAD_GONE: ReadonlySet<unknown> = new Set(["NoSuchUpload", "NoSuchKey"]);

/** True for the error of an upload that the store does not have: it is complete, aborted or was never there. */
export function isUploadGone(error: unknown): boolean {
  return UPLOAD_GONE.has(refusalIn(error).s3_code);
}

/** The life of a multipart upload, without what its parts are made of (upload-parts.ts, copy.ts). */
export class MultipartUploads {
  readonly #connection: S3Connection;
  readonly #control: S3Control;
  readonly #etags = new CompositeEtags();

  constructor(connection: S3Connection, control: S3Control) {
    this.#connection = connection;
    this.#control = control;
  }

  /** `keepChecksums`: the parts come with their SHA-256, and the store is to keep them. */
  async begin(
    key: string,
    traits: ObjectTraits,
    keepChecksums: boolean,
    signal: AbortSignal | undefined,
  ): Promise<MultipartUpload> {
    const { settings } = this.#connection;
    const command = new CreateMultipartUploadCommand({
      Bucket: settings.bucket,
      Key: key,
      ContentType: traits.contentType ?? "application/octet-stream",
      ...(traits.sha256 === undefined ? {} : { Metadata: { [SHA256_METADATA]: traits.sha256 } }),
      ...(keepChecksums ? { ChecksumAlgorithm: "SHA256" as const } : {}),
      ...traitInputs(settings),
    });
    const answer = await this.#control.send(command, "InitiateMultipartUploadResult", signal);
    const uploadId = answer.text("UploadId");
    if (uploadId === undefined || uploadId === "")
      throw new SyncError("provider_error", "the store began an upload without an id", { retryable: true });
    return { key, uploadId };
  }

  /**
   * Makes the object of `parts`, in order, and looks at what came of it: by what HEAD says, and by the ETag where the
   * store's tell of parts.
   * @throws SyncError `provider_error` when the object is not `expected`; as `S3Connection.send`
   */
  async complete(
    upload: MultipartUpload,
    parts: readonly StoredPart[],
    expected: ExpectedObject,
    signal: AbortSignal | undefined,
  ): Promise<ObjectInfo> {
    const { key } = upload;
    const etag = await this.#finish(upload, parts, expected, signal);
    const head = await headObject(this.#connection, key, signal);
    const isShown = head !== undefined && (head.sha256 === expected.sha256 || head.version === etag);
    if (isShown && head.size !== expected.size)
      throw new SyncError("provider_error", "the store made an object of another size than its parts", {
        retryable: true,
      });
    // Else another writer has replaced or removed it since: this upload had its moment all the same. RGW names no ETag.
    const version = isShown ? head.version : etag;
    if (version === undefined || version === "")
      throw new SyncError("provider_error", "the store does not show the object it has just completed", {
        retryable: true,
      });
    if (this.isOfOthers(version, parts)) throw otherParts();
    return { key, size: expected.size, version };
  }

  /** True when the object with this ETag is made of other parts than `parts`, as far as the store's ETags tell. */
  isOfOthers(etag: string, parts: Iterable<Pick<StoredPart, "etag">>): boolean {
    return this.#etags.deny(
      etag,
      Array.from(parts, (part) => part.etag),
    );
  }

  /** Removes what has been uploaded; what is gone already is as good. @throws SyncError as `S3Connection.send` */
  async remove({ key, uploadId }: MultipartUpload, signal: AbortSignal | undefined): Promise<void> {
    const command = new AbortMultipartUploadCommand({
      Bucket: this.#connection.settings.bucket,
      Key: key,
      UploadId: uploadId,
    });
    try {
      await this.#control.sendOnly(command, signal);
    } catch (error) {
      if (!isUploadGone(error)) throw error;
    }
  }

  /** The same for a caller who has an error to report already: with a time limit of its own; whether it is gone. */
  async abort(upload: MultipartUpload): Promise<boolean> {
    const { abortMs } = this.#connection.limits;
    return await this.remove(upload, AbortSignal.timeout(abortMs)).then(
      () => true,
      () => false,
    );
  }

  /** The parts that the store has of an upload, by number. @throws SyncError as `S3Connection.send` */
  async parts(upload: MultipartUpload, signal: AbortSignal | undefined): Promise<ReadonlyMap<number, ListedPart>> {
    return await listParts(this.#control, this.#connection.settings.bucket, upload, signal);
  }

  /** Every unfinished upload of a key that starts with `prefix`. @throws SyncError as `S3Connection.send` */
  async under(prefix: string, signal: AbortSignal | undefined): Promise<readonly MultipartUpload[]> {
    return await listUploads(this.#control, this.#connection.settings.bucket, prefix, signal);
  }

  /** The new object's ETag, as a version. When the answer is lost the object itself tells: its metadata has the hash only after the upload is complete. */
  async #finish(
    upload: MultipartUpload,
    parts: readonly StoredPart[],
    expected: ExpectedObject,
    signal: AbortSignal | undefined,
  ): Promise<string | undefined> {
    const { key, uploadId } = upload;
    const Parts = parts.map(({ number, etag, checksumSha256 }) => ({
      PartNumber: number,
      ETag: etag,
      ...(checksumSha256 === undefined ? {} : { ChecksumSHA256: checksumSha256 }),
    }));
    const command = new CompleteMultipartUploadCommand({
      Bucket: this.#connection.settings.bucket,
      Key: key,
      UploadId: uploadId,
      MultipartUpload: { Parts },
    });
    try {
      const etag = (await this.#control.send(command, "CompleteMultipartUploadResult", signal)).text("ETag");
      return etag === undefined ? undefined : versionOf(etag);
    } catch (error) {
      if (!(error instanceof SyncError) || !error.retryable || expected.sha256 === undefined) throw error;
      const head = await headObject(this.#connection, key, signal).catch(() => undefined);
      if (head?.sha256 === expected.sha256 && head.size === expected.size) return head.version;
      throw error;
    }
  }
}

/** Worth a repeat from the beginning, as with a part that the store itself misses. */
function otherParts(): SyncError {
  return new SyncError("provider_error", "the store made an object of other parts than were sent to it", {
    retryable: true,
    details: { s3_code: "InvalidPart" },
  });
}
