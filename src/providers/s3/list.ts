import { ListObjectsV2Command, type ListObjectsV2CommandOutput } from "@aws-sdk/client-s3";
import { SyncError, throwIfAborted } from "../../core/errors.ts";
import type { ObjectInfo } from "../contract.ts";
import { versionOf } from "./address.ts";
import type { S3Control } from "./control.ts";

/**
 * Every object under `prefix`, once. Keys come percent-encoded (XML cannot hold all of them) and are decoded here:
 * the SDK does not.
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
    const page = await control.send(command, signal);
    for (const info of objectsOf(page)) {
      throwIfAborted(signal);
      if (!info.key.startsWith(prefix)) throw brokenListing("names a key outside of its prefix");
      // A store that repeats a key over two pages must not make two objects of one.
      if (seen.has(info.key)) continue;
      seen.add(info.key);
      yield info;
    }
    const next = nextToken(page, token);
    if (next === undefined) return;
    token = next;
  }
}

function objectsOf(page: ListObjectsV2CommandOutput): ObjectInfo[] {
  const contents = page.Contents ?? [];
  if (page.IsTruncated === undefined) throw brokenListing("is not a listing");
  if (page.KeyCount !== undefined && page.KeyCount !== contents.length)
    throw brokenListing("has another number of keys than it says");
  const decode = page.EncodingType === "url" ? decodeListedKey : (key: string) => key;
  return contents.map(({ Key, Size, ETag }) => {
    if (Key === undefined || Size === undefined || ETag === undefined) throw brokenListing("lacks a key, size or ETag");
    return { key: decode(Key), size: Size, version: versionOf(ETag) };
  });
}

/** `+` is a space: the encoding is that of forms. */
function decodeListedKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll("+", " "));
  } catch {
    throw brokenListing("has a key that is not well encoded");
  }
}

function nextToken(page: ListObjectsV2CommandOutput, last: string | undefined): string | undefined {
  if (page.IsTruncated !== true) return undefined;
  const token = page.NextContinuationToken;
  if (token === undefined || token === "") throw brokenListing("says that more follows but not where");
  if (token === last) throw brokenListing("does not get further");
  return token;
}

function brokenListing(how: string): SyncError {
  return new SyncError("provider_error", `the store's listing ${how}; nothing is taken for complete`, {
    retryable: true,
  });
}
