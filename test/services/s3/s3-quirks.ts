/** Where compatible stores differ from AWS. Everything off is AWS. */
export interface S3Quirks {
  /** RGW: If-Match matches only without quotes, and answers 412 for a key that is not there. */
  readonly bareIfMatch?: boolean;
  /** RGW: CopySourceIfMatch is not looked at. */
  readonly ignoresCopySourceIfMatch?: boolean;
  /** Google: If-None-Match and If-Match on a PUT are not looked at. */
  readonly ignoresPutConditions?: boolean;
  /** Google: there is no DeleteObjects. */
  readonly noDeleteObjects?: boolean;
  /** Older stores: encoding-type=url is not looked at; keys come as XML can hold them. */
  readonly ignoresEncodingType?: boolean;
  /** RGW: ListMultipartUploads encodes its keys when asked to, but neither says so nor encodes the marker of the next page. */
  readonly hidesUploadEncoding?: boolean;
  /** RGW: ListParts says NoSuchKey of an upload that is complete or aborted; every other operation says NoSuchUpload. */
  readonly goneUploadIsNoSuchKey?: boolean;
  /** Entries of one page of any listing at most. Default 1,000. */
  readonly pageKeysMax?: number;
  /** Stores that make an object of whatever parts they have: the ETags that CompleteMultipartUpload names are not looked at. */
  readonly ignoresPartTags?: boolean;
  /** RGW: the answer to CompleteMultipartUpload has an empty ETag. */
  readonly completesWithoutEtag?: boolean;
  /** Encryption with a key of the store's: the ETag of an object of several parts looks like any other and says nothing. */
  readonly opaquePartsTag?: () => boolean;
  /** Operations whose answers a proxy passes on in chunks, or without their length. */
  readonly hidesLengthOf?: readonly string[];
  /** Smallest part but the last, bytes. Default 5 MiB. */
  readonly partBytesMin?: number;
}
