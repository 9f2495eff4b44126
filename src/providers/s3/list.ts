import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import { SyncError, throwIfAborted } from "../../core/errors.ts";
import type { ObjectInfo } from "../contract.ts";
import { versionOf } from "./address.ts";
import type { S3Control } from "./control.ts";
import type { XmlElement } from "./xml.ts";

/**
 * Every object under `prefix`, once. Keys come percent-encoded (XML cannot hold all of them) and are decoded here.
 * @throws SyncError `provider_error` for a page that is not whole: a listing cut short must never look complete
 */
export async function* listObjects(
  control: S3Control,
  bucket: string,
  prefix: string,
  signal?: AbortSignal,
): AsyncGenerator<ObjectInfo, void, undefined> {
  const seen = new Set<string>();
  let token: string | undefined;
  for (;;) {
    const command = new ListObjectsV2Command({
      Bucket: bucket,
      Prefix: prefix,
      EncodingType: "url",
      ContinuationToken: token,
    });
    const page = await control.send(command, "ListBucketResult", signal);
    const objects = objectsOf(page);
    const next = nextToken(page, token);
    for (const info of objects) {
      throwIfAborted(signal);
      if (!info.key.startsWith(prefix)) throw brokenListing("names a key outside of its prefix");
      // A store that repeats a key over two pages must not make two objects of one.
      if (seen.has(info.key)) continue;
      seen.add(info.key);
      yield info;
    }
    if (next === undefined) return;
    token = next;
  }
}

function objectsOf(page: XmlElement): ObjectInfo[] {
  const decode = page.text("EncodingType") === "url" ? decodeListedKey : (key: string) => key;
  const objects = page.all("Contents").map((entry) => {
    const [key, size, etag] = [entry.text("Key"), entry.text("Size"), entry.text("ETag")];
    if (key === undefined || size === undefined || etag === undefined) throw brokenListing("lacks a key, size or ETag");
    if (!/^\d{1,16}$/.test(size)) throw brokenListing("has a size that is none");
    return { key: decode(key), size: Number(size), version: versionOf(etag) };
  });
  const count = page.text("KeyCount");
  if (count !== undefined && count !== String(objects.length))
    throw brokenListing("has another number of keys than it says");
  return objects;
}

/** `+` is a space: the encoding is that of forms. */
export function decodeListedKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll("+", " "));
  } catch {
    throw brokenListing("has a key that is not well encoded");
  }
}

function nextToken(page: XmlElement, last: string | undefined): string | undefined {
  const truncated = page.text("IsTruncated");
  if (truncated === "false") return undefined;
  if (truncated !== "true") throw brokenListing("does not say whether more follows");
  const token = page.text("NextContinuationToken");
  if (token === undefined || token === "") throw brokenListing("says that more follows but not where");
  if (token === last) throw brokenListing("does not get further");
  return token;
}

export function brokenListing(how: string): SyncError {
  return new SyncError("provider_error", `the store's listing ${how}; nothing is taken for complete`, {
    retryable: true,
  });
}
