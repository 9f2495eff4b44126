import { SyncError } from "../core/errors.ts";
import { MANIFEST_BYTES_MAX } from "../manifest/decode-manifest.ts";
import { joinChunks } from "../manifest/encode-manifest.ts";
import type { ByteSource, ObjectContent } from "../providers/contract.ts";

/** Bytes in memory as a source. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.byteLength,
    open: async () => ({
      read: async (offset, length) => bytes.subarray(offset, offset + length),
      close: async () => undefined,
    }),
  };
}

/** A whole control object (a manifest, a marker). @throws SyncError `remote_manifest_invalid` when it is too large to be one */
export async function readBody(content: ObjectContent): Promise<Uint8Array> {
  if (content.size > MANIFEST_BYTES_MAX) {
    await content.body.cancel();
    throw new SyncError("remote_manifest_invalid", `a control object is larger than ${MANIFEST_BYTES_MAX} bytes`);
  }
  const chunks: Uint8Array[] = [];
  const reader = content.body.getReader();
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) chunks.push(chunk.value);
  return await joinChunks(chunks);
}
