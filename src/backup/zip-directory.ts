import { Turn } from "../threads/turn.ts";
import type { Compression } from "../platform/contract.ts";
import { type ArchiveEntry, EntryHeaders, type EntryName } from "./archive-entry.ts";
import { archiveFault } from "./archive-fault.ts";
import type { ArchiveFile } from "./archive-file.ts";
import { archivePathFault, isMetadataPath, PathCollisions } from "./archive-names.ts";
import { type BackupEngine, MemoryReclaim } from "./backup-engine.ts";
import { checkEntryRatio, checkTotalRatio } from "./unpack-limits.ts";
import { locateDirectory } from "./zip-end.ts";
import { FLAG, LENGTH, MANIFEST_ENTRY, METHOD } from "./zip-format.ts";

const FLAGS_REFUSED = FLAG.encrypted | FLAG.patched | FLAG.strongEncryption | FLAG.masked;

/** Some entries of a directory, as another thread is told of them. */
export interface DirectoryPart {
  /** Their headers as they are in the archive. */
  readonly headers: Uint8Array<ArrayBuffer>;
  /** Where what follows the data of each begins. */
  readonly ends: Float64Array<ArrayBuffer>;
}

/**
 * Entries by their place in the order of their data. The headers are kept as they are in the archive and read when an
 * entry is asked for: an object for each would take ten times the memory.
 */
export class ArchiveDirectory {
  readonly #headers: EntryHeaders;
  readonly #starts: Uint32Array;
  readonly #ends: Float64Array;

  private constructor(headers: EntryHeaders, starts: Uint32Array, ends: Float64Array) {
    this.#headers = headers;
    this.#starts = starts;
    this.#ends = ends;
  }

  /** @param starts of the headers, in the order of the data */
  static of(headers: EntryHeaders, starts: Uint32Array, ends: Float64Array): ArchiveDirectory {
    return new ArchiveDirectory(headers, starts, ends);
  }

  /** What `part` of a checked directory was made of. @throws SyncError `archive_invalid` */
  static ofPart({ headers: bytes, ends }: DirectoryPart, compression: Compression): ArchiveDirectory {
    const headers = new EntryHeaders(bytes, compression);
    const starts = new Uint32Array(ends.length);
    for (let place = 1; place < starts.length; place++) starts[place] = headers.next(starts[place - 1] ?? 0);
    return new ArchiveDirectory(headers, starts, ends);
  }

  get length(): number {
    return this.#starts.length;
  }

  /** @throws RangeError for a place where there is none */
  entry(place: number): ArchiveEntry {
    return this.#headers.read(this.#start(place), this.#ends[place]);
  }

  /** Of the entry there: less work than the whole of it. @throws RangeError for a place where there is none */
  name(place: number): EntryName {
    return this.#headers.name(this.#start(place));
  }

  /** The same. Bytes. */
  size(place: number): number {
    return this.#headers.size(this.#start(place));
  }

  part(places: readonly number[]): DirectoryPart {
    return {
      headers: this.#headers.copyOf(places.map((place) => this.#start(place))),
      ends: Float64Array.from(places, (place) => this.#ends[place] ?? 0),
    };
  }

  #start(place: number): number {
    const start = this.#starts[place];
    if (start === undefined) throw new RangeError(`the directory has no entry ${place}`);
    return start;
  }
}

/** A directory that has passed every check. */
export interface CheckedDirectory {
  readonly directory: ArchiveDirectory;
  /** Places of the files and folders in the workspace: all but what the archive keeps about itself. */
  readonly workspace: readonly number[];
  /** Of the manifest inside; undefined in archives that other tools made. */
  readonly manifestPlace: number | undefined;
}

/**
 * Reads the central directory and checks all that can be known without the data: names, collisions, kinds, flags,
 * sizes, ratios, overlaps.
 * @throws SyncError `archive_invalid`, `aborted`
 */
export async function readDirectory(
  file: ArchiveFile,
  engine: Pick<BackupEngine, "compression" | "reclaimMemory">,
  signal: AbortSignal | undefined,
): Promise<CheckedDirectory> {
  const location = await locateDirectory(file);
  const bytes = await file.copy(location.offset, location.length);
  const headers = new EntryHeaders(bytes, engine.compression);
  const found: FoundHeaders = {
    starts: new Uint32Array(location.entries),
    offsets: new Float64Array(location.entries),
    dataEnds: new Float64Array(location.entries),
    isMetadata: new Uint8Array(location.entries),
    manifest: undefined,
  };
  const turn = new Turn(signal);
  const memory = new MemoryReclaim(engine);
  const collisions = new PathCollisions();
  let at = 0;
  let total = 0;
  for (let i = 0; i < location.entries; i++) {
    const next = headers.next(at);
    const entry = headers.read(at);
    checkEntry(entry, collisions);
    total += entry.size;
    found.starts[i] = at;
    found.offsets[i] = entry.offset;
    // At least: extra fields beside the data may make them end later.
    found.dataEnds[i] = entry.offset + LENGTH.localHeader + entry.nameLength + entry.compressedSize;
    found.isMetadata[i] = isMetadataPath(entry.path) || isWorkspaceItself(entry) ? 1 : 0;
    if (entry.path === MANIFEST_ENTRY) found.manifest = i;
    at = next;
    memory.entry();
    if (turn.due()) await turn.pause();
  }
  if (at !== bytes.byteLength) throw archiveFault("has more in its directory than its end says");
  checkTotalRatio(total, file.size);
  return placed(headers, found, location.offset);
}

/** By place in the directory. */
interface FoundHeaders {
  readonly starts: Uint32Array;
  readonly offsets: Float64Array;
  readonly dataEnds: Float64Array;
  readonly isMetadata: Uint8Array;
  manifest: number | undefined;
}

function checkEntry(entry: ArchiveEntry, collisions: PathCollisions): void {
  const { path, isFolder, flags, method, size, compressedSize } = entry;
  const fault = isWorkspaceItself(entry) ? undefined : (archivePathFault(path) ?? collisions.fault(path, isFolder));
  if (fault !== undefined) throw archiveFault(`has an entry whose name ${fault}`, path);
  if ((flags & FLAGS_REFUSED) !== 0) throw archiveFault("has an entry that is encrypted or patched", path);
  if (method !== METHOD.stored && method !== METHOD.deflated) {
    throw archiveFault("has an entry that is neither stored nor deflated", path);
  }
  if (isFolder && size !== 0) throw archiveFault("has a folder with contents", path);
  if (method === METHOD.stored && size !== compressedSize) throw archiveFault("has an entry with two sizes", path);
  checkEntryRatio(entry, path);
}

function isWorkspaceItself({ path, isFolder }: ArchiveEntry): boolean {
  return path === "." && isFolder;
}

/** In the order of their data, each knowing where it ends at the latest. @throws SyncError `archive_invalid` when two overlap */
function placed(headers: EntryHeaders, found: FoundHeaders, directoryAt: number): CheckedDirectory {
  const offsetOf = (index: number | undefined) =>
    (index === undefined ? undefined : found.offsets[index]) ?? directoryAt;
  const order = inOrderOf(found.offsets);
  if (offsetOf(order[0]) !== 0) throw archiveFault("has bytes before its first entry");
  const starts = new Uint32Array(order.length);
  const ends = new Float64Array(order.length);
  const workspace: number[] = [];
  let manifestPlace: number | undefined;
  for (let place = 0; place < order.length; place++) {
    const index = order[place] ?? 0;
    const start = found.starts[index] ?? 0;
    const end = offsetOf(order[place + 1]);
    if ((found.dataEnds[index] ?? 0) > end) throw archiveFault("has entries that overlap", headers.read(start).path);
    starts[place] = start;
    ends[place] = end;
    if (found.isMetadata[index] === 0) workspace.push(place);
    if (index === found.manifest) manifestPlace = place;
  }
  return { directory: ArchiveDirectory.of(headers, starts, ends), workspace, manifestPlace };
}

/** Indexes of `offsets`, the smallest first. In most archives the directory is in the order of the data. */
function inOrderOf(offsets: Float64Array): Uint32Array {
  const order = new Uint32Array(offsets.length);
  let isSorted = true;
  for (let i = 0; i < order.length; i++) {
    order[i] = i;
    isSorted &&= i === 0 || (offsets[i - 1] ?? 0) <= (offsets[i] ?? 0);
  }
  return isSorted ? order : order.toSorted((a, b) => (offsets[a] ?? 0) - (offsets[b] ?? 0));
}
