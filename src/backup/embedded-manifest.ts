import { Inflate } from "fflate";
import { SyncError } from "../core/errors.ts";
import { decodeRemoteManifest, MANIFEST_BYTES_MAX } from "../manifest/decode-manifest.ts";
import type { Manifest } from "../manifest/manifest.ts";
import { Turn } from "../threads/turn.ts";
import { archiveFault } from "./archive-fault.ts";
import type { ArchiveFile } from "./archive-file.ts";
import type { BackupEngine } from "./backup-engine.ts";
import { dataOffset } from "./local-header.ts";
import type { ArchiveEntry } from "./zip-directory.ts";
import { MANIFEST_ENTRY, METHOD } from "./zip-format.ts";

/** What an archive of this product, or of the Python studio, says of its files. */
export interface EmbeddedManifest {
  readonly manifest: Manifest;
  /** As written beside the manifest; undefined when there is none. */
  readonly checksum: string | undefined;
}

/** @throws SyncError `archive_invalid`, `aborted` */
export async function readEmbeddedManifest(
  file: ArchiveFile,
  entries: readonly ArchiveEntry[],
  { compression }: Pick<BackupEngine, "compression">,
  signal: AbortSignal | undefined,
): Promise<EmbeddedManifest | undefined> {
  const entry = entries.find(({ path }) => path === MANIFEST_ENTRY);
  if (entry === undefined) return undefined;
  if (entry.size > MANIFEST_BYTES_MAX) throw archiveFault("has a manifest that is too large", entry.path);
  const bytes = await inflated(file, entry, new Turn(signal));
  if (compression.crc32(bytes) !== entry.crc) throw archiveFault("has a damaged manifest", entry.path);
  try {
    const { manifest, extra } = await decodeRemoteManifest(bytes, signal);
    const { checksum } = extra;
    return { manifest, checksum: typeof checksum === "string" ? checksum : undefined };
  } catch (error) {
    if (!(error instanceof SyncError) || error.code !== "manifest_malformed") throw error;
    throw new SyncError("archive_invalid", `the archive's manifest cannot be used: ${error.message}`, { cause: error });
  }
}

/**
 * The document, in slices between which others get their turn: fflate inflates a chunk at a time in this thread, stops
 * where it is told and needs no stream of the runtime, which has only whole buffers or events to offer.
 */
async function inflated(file: ArchiveFile, entry: ArchiveEntry, turn: Turn): Promise<Uint8Array> {
  const document = new Uint8Array(entry.size);
  let length = 0;
  let isWhole = entry.method === METHOD.stored;
  const append = (chunk: Uint8Array) => {
    if (length + chunk.byteLength > entry.size) throw archiveFault("has a manifest larger than it says", entry.path);
    document.set(chunk, length);
    length += chunk.byteLength;
  };
  const inflate = new Inflate((chunk, final) => {
    append(chunk);
    isWhole ||= final;
  });
  let left = entry.compressedSize;
  try {
    for await (const chunk of file.stream(await dataOffset(file, entry), entry.compressedSize)) {
      left -= chunk.byteLength;
      if (entry.method === METHOD.stored) append(chunk);
      else for (const slice of slices(chunk)) inflate.push(slice.bytes, left === 0 && slice.isLast);
      if (turn.due()) await turn.pause();
    }
  } catch (error) {
    if (error instanceof SyncError) throw error;
    throw archiveFault("has a damaged manifest", entry.path);
  }
  if (!isWhole || length !== entry.size) throw archiveFault("has a manifest that is cut short", entry.path);
  return document;
}

/** Small enough that no slice unfolds to more than some MB at once. */
const SLICE_BYTES = 16_384;

function* slices(chunk: Uint8Array): Generator<{ readonly bytes: Uint8Array; readonly isLast: boolean }> {
  for (let at = 0; at < chunk.byteLength; at += SLICE_BYTES) {
    yield { bytes: chunk.subarray(at, at + SLICE_BYTES), isLast: at + SLICE_BYTES >= chunk.byteLength };
  }
}
