import { Inflate } from "fflate";
import { compareCodePoints } from "../core/code-point.ts";
import { SyncError, throwIfAborted } from "../core/errors.ts";
import type { RelativePath } from "../core/paths.ts";
import { ChecksumBuilder } from "../manifest/checksum.ts";
import { decodeRemoteManifest, MANIFEST_BYTES_MAX, readRemoteManifest } from "../manifest/decode-manifest.ts";
import type { ManifestEntry } from "../manifest/manifest.ts";
import type { Compression } from "../platform/contract.ts";
import { Turn } from "../threads/turn.ts";
import type { ArchiveEntry } from "./archive-entry.ts";
import { archiveFault } from "./archive-fault.ts";
import type { ArchiveFile } from "./archive-file.ts";
import { type BackupEngine, MemoryReclaim } from "./backup-engine.ts";
import { KnownFiles } from "./known-files.ts";
import { dataOffset } from "./local-header.ts";
import type { CheckedDirectory } from "./zip-directory.ts";
import { METHOD } from "./zip-format.ts";

/** What an archive of this product, or of the Python studio, says of its files. */
export interface EmbeddedManifest {
  readonly known: KnownFiles;
  /** Paths that are in the manifest and not in the archive, in no order. */
  readonly missing: readonly RelativePath[];
  /** As written beside the manifest; undefined when there is none. */
  readonly checksum: string | undefined;
  /** Of the entries that are there; undefined when it was not asked for. */
  readonly actualChecksum: string | undefined;
}

export interface ManifestReading {
  readonly signal?: AbortSignal | undefined;
  /** Whether the checksum is to be computed, which takes a fifth of the time. Default false. */
  readonly withChecksum?: boolean | undefined;
}

type Engine = Pick<BackupEngine, "compression" | "newHasher" | "reclaimMemory">;

/** @throws SyncError `archive_invalid`, `aborted` */
export async function readEmbeddedManifest(
  file: ArchiveFile,
  checked: CheckedDirectory,
  engine: Engine,
  reading: ManifestReading,
): Promise<EmbeddedManifest | undefined> {
  if (checked.manifestPlace === undefined) return undefined;
  const entry = checked.directory.entry(checked.manifestPlace);
  if (entry.size > MANIFEST_BYTES_MAX) throw archiveFault("has a manifest that is too large", entry.path);
  const bytes = await contentOf(file, entry, engine.compression, reading.signal);
  if (engine.compression.crc32(bytes) !== entry.crc) throw archiveFault("has a damaged manifest", entry.path);
  try {
    return await matched(bytes, checked, engine, reading);
  } catch (error) {
    if (!(error instanceof SyncError) || error.code !== "manifest_malformed") throw error;
    throw new SyncError("archive_invalid", `the archive's manifest cannot be used: ${error.message}`, { cause: error });
  }
}

async function matched(
  bytes: Uint8Array,
  checked: CheckedDirectory,
  engine: Engine,
  { signal, withChecksum = false }: ManifestReading,
): Promise<EmbeddedManifest> {
  const newMatch = () =>
    new ManifestMatch(checked, engine, withChecksum ? new ChecksumBuilder(engine.newHasher) : undefined);
  let match = newMatch();
  const { extra } = await readRemoteManifest(
    bytes,
    () => {
      match = newMatch();
      return (entry) => match.add(entry);
    },
    signal,
  );
  if (!match.inOrder) {
    // Not as this product writes it: sorted first, and of two entries with one path the last counts.
    match = newMatch();
    for (const entry of (await decodeRemoteManifest(bytes, signal)).manifest.entries.values()) match.add(entry);
  }
  const { known, missing } = match;
  const checksum = typeof extra["checksum"] === "string" ? extra["checksum"] : undefined;
  return { known, missing, checksum, actualChecksum: match.checksum?.digestHex() };
}

/** Finds the file of the archive for each entry of its manifest. */
class ManifestMatch {
  readonly known: KnownFiles;
  readonly missing: RelativePath[] = [];
  /** False when entries did not come by code point of the path, or one twice. */
  inOrder = true;
  readonly #checked: CheckedDirectory;
  readonly #memory: MemoryReclaim;
  #last: RelativePath | undefined;
  /** In `workspace`: in our archives the data are in the manifest's order. */
  #next = 0;
  /** Places by path, where the order differs. */
  #places: Map<RelativePath, number> | undefined;

  constructor(
    checked: CheckedDirectory,
    engine: Engine,
    readonly checksum: ChecksumBuilder | undefined,
  ) {
    this.#checked = checked;
    this.known = KnownFiles.none(checked.directory.length);
    this.#memory = new MemoryReclaim(engine);
  }

  add(entry: ManifestEntry): void {
    this.inOrder &&= this.#last === undefined || compareCodePoints(this.#last, entry.path) < 0;
    this.#last = entry.path;
    this.checksum?.add(entry);
    this.#memory.entry();
    const place = this.#placeOf(entry.path);
    if (place === undefined) this.missing.push(entry.path);
    else this.known.set(place, entry);
  }

  #placeOf(path: RelativePath): number | undefined {
    const { directory, workspace } = this.#checked;
    if (this.#places !== undefined) return this.#places.get(path);
    const next = workspace[this.#next];
    const named = next === undefined ? undefined : directory.name(next);
    if (named?.path === path && !named.isFolder) {
      this.#next++;
      return next;
    }
    this.#places = new Map();
    for (const place of workspace) {
      const { path: name, isFolder } = directory.name(place);
      if (!isFolder) this.#places.set(name, place);
    }
    return this.#places.get(path);
  }
}

/** Up to this size a document is inflated in this thread: more than that takes a native library a fifth of the time. */
const INFLATE_HERE_BYTES_MAX = 1_048_576;

async function contentOf(
  file: ArchiveFile,
  entry: ArchiveEntry,
  compression: Compression,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const start = await dataOffset(file, entry);
  if (entry.method === METHOD.stored || entry.size <= INFLATE_HERE_BYTES_MAX) {
    return await inflated(file, start, entry, new Turn(signal));
  }
  const packed = await file.copy(start, entry.compressedSize);
  const document = await compression.inflate(packed, entry.size);
  if (document === undefined) throw archiveFault("has a damaged manifest", entry.path);
  throwIfAborted(signal);
  return document;
}

/**
 * The document, in slices between which others get their turn: fflate inflates a chunk at a time in this thread, stops
 * where it is told and needs no stream of the runtime, which has only whole buffers or events to offer.
 */
async function inflated(file: ArchiveFile, start: number, entry: ArchiveEntry, turn: Turn): Promise<Uint8Array> {
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
    for await (const chunk of file.passing(start, entry.compressedSize)) {
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
