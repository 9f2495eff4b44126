import { ListMultipartUploadsCommand, ListPartsCommand } from "@aws-sdk/client-s3";
import { versionOf } from "./address.ts";
import type { S3Control } from "./control.ts";
import { brokenListing, decodeListedKey } from "./list.ts";
import type { ListedPart, MultipartUpload } from "./multipart-upload.ts";
import type { XmlElement } from "./xml.ts";

/** @throws SyncError `provider_error` for a page that is not whole; as `S3Connection.send` */
export async function listParts(
  control: S3Control,
  bucket: string,
  { key, uploadId }: MultipartUpload,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<number, ListedPart>> {
  const parts = new Map<number, ListedPart>();
  for (let marker: string | undefined; ; ) {
    const command = new ListPartsCommand({ Bucket: bucket, Key: key, UploadId: uploadId, PartNumberMarker: marker });
    const page = await control.send(command, "ListPartsResult", signal);
    for (const entry of page.all("Part")) {
      const [number, size, etag] = [entry.text("PartNumber"), entry.text("Size"), entry.text("ETag")];
      if (number === undefined || size === undefined || etag === undefined)
        throw brokenListing("of parts lacks a number, size or ETag");
      const checksumSha256 = entry.text("ChecksumSHA256");
      const checksum = checksumSha256 === undefined ? {} : { checksumSha256 };
      parts.set(Number(number), { size: Number(size), etag: versionOf(etag), ...checksum });
    }
    if (!isTruncated(page)) return parts;
    const next = page.text("NextPartNumberMarker");
    if (next === undefined || next === marker) throw brokenListing("of parts does not get further");
    marker = next;
  }
}

/** @throws SyncError `provider_error` for a page that is not whole; as `S3Connection.send` */
export async function listUploads(
  control: S3Control,
  bucket: string,
  prefix: string,
  signal: AbortSignal | undefined,
): Promise<readonly MultipartUpload[]> {
  const uploads: MultipartUpload[] = [];
  for (let markers: Markers = {}; ; ) {
    const command = new ListMultipartUploadsCommand({
      Bucket: bucket,
      Prefix: prefix,
      EncodingType: "url",
      ...markers,
    });
    const page = await control.send(command, "ListMultipartUploadsResult", signal);
    const says = page.text("EncodingType") === "url";
    const decode = says ? decodeListedKey : decodeUnsaid;
    for (const entry of page.all("Upload")) {
      const [key, uploadId] = [entry.text("Key"), entry.text("UploadId")];
      if (key === undefined || uploadId === undefined) throw brokenListing("of uploads lacks a key or an id");
      // A store that does not look at the prefix must not lead to uploads that are none of ours.
      if (decode(key).startsWith(prefix)) uploads.push({ key: decode(key), uploadId });
    }
    if (!isTruncated(page)) return uploads;
    const next = nextMarkers(page, says ? decodeListedKey : (key) => key);
    if (next.KeyMarker === markers.KeyMarker && next.UploadIdMarker === markers.UploadIdMarker)
      throw brokenListing("of uploads does not get further");
    markers = next;
  }
}

/**
 * RGW encodes the keys of this listing as it is asked to, and neither says so nor encodes the markers (measured). Of a
 * store that does not encode at all a key that looks encoded is taken for another one: its upload is not found.
 */
function decodeUnsaid(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

interface Markers {
  readonly KeyMarker?: string;
  readonly UploadIdMarker?: string;
}

function nextMarkers(page: XmlElement, decode: (key: string) => string): Markers {
  const [key, uploadId] = [page.text("NextKeyMarker"), page.text("NextUploadIdMarker")];
  if (key === undefined) throw brokenListing("of uploads says that more follows but not where");
  return { KeyMarker: decode(key), ...(uploadId === undefined || uploadId === "" ? {} : { UploadIdMarker: uploadId }) };
}

function isTruncated(page: XmlElement): boolean {
  const truncated = page.text("IsTruncated");
  if (truncated !== "true" && truncated !== "false") throw brokenListing("does not say whether more follows");
  return truncated === "true";
}
