/** A multipart upload that has begun and is neither complete nor aborted. */
export interface MultipartUpload {
  readonly key: string;
  readonly uploadId: string;
}

/** A part as the store lists it. */
export interface ListedPart {
  /** Bytes. */
  readonly size: number;
  readonly etag: string;
  /** Base64, where the store keeps it. */
  readonly checksumSha256?: string;
}

/** A part that the store has and that can be made part of an object. */
export interface StoredPart extends ListedPart {
  /** From 1. */
  readonly number: number;
}
