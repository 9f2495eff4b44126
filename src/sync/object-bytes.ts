import { SyncError } from "../core/errors.ts";
import { MANIFEST_BYTES_MAX } from "../manifest/decode-manifest.ts";
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
  const reader = content.body.getReader();
  // Into one piece from the start: a manifest of a million entries, in pieces and then whole, would be there twice.
  let whole = new Uint8Array(Math.min(content.size, MANIFEST_BYTES_MAX));
  let length = 0;
  try {
    checkSize(content.size);
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      const end = length + chunk.value.byteLength;
      checkSize(end);
      if (end > whole.byteLength) whole = enlarged(whole, Math.min(2 * end, MANIFEST_BYTES_MAX));
      whole.set(chunk.value, length);
      length = end;
    }
    return whole.subarray(0, length);
  } catch (error) {
    await reader.cancel().catch(() => undefined);
    throw error;
  }
}

function checkSize(bytes: number): void {
  if (bytes <= MANIFEST_BYTES_MAX) return;
  throw new SyncError("remote_manifest_invalid", `a control object is larger than ${MANIFEST_BYTES_MAX} bytes`);
}

function enlarged(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(length);
  larger.set(bytes);
  return larger;
}
