import { hexToBytes } from "@noble/hashes/utils.js";
import { SyncError } from "../../core/errors.ts";
import type { OpenSource } from "../contract.ts";
import type { PartBuffers } from "./part-buffers.ts";

/**
 * Exactly `length` bytes, in one of `buffers` where the source can fill one.
 * @throws SyncError `file_changed` when the source has become shorter
 */
export async function readExactly(
  open: OpenSource,
  offset: number,
  length: number,
  buffers?: PartBuffers,
): Promise<Uint8Array> {
  if (length === 0) return new Uint8Array(0);
  if (open.readInto !== undefined && buffers !== undefined) {
    const into = buffers.take(length);
    await open.readInto(offset, into);
    return into;
  }
  const bytes = await open.read(offset, length);
  if (bytes.length !== length) throw new SyncError("file_changed", "the file has become shorter while it was sent");
  return bytes;
}

/**
 * Stores differ in whether they check what they receive against the signed hash, so the bytes are compared here before
 * any goes out: 16 MiB take 10 ms.
 * @throws SyncError `content_mismatch`
 */
export function checkContent(actual: string, expected: string): void {
  if (actual !== expected)
    throw new SyncError(
      "content_mismatch",
      "the file's content is not what was hashed; the next run takes the new content",
    );
}

/** A SHA-256 as AWS takes it beside an object or a part. */
export function checksumHeader(sha256: string): string {
  return base64(hexToBytes(sha256));
}

export function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
