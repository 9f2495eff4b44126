import { Turn } from "../threads/turn.ts";
import type { Compression } from "../platform/contract.ts";
import { archiveFault } from "./archive-fault.ts";
import type { ArchiveFile } from "./archive-file.ts";
import { archivePathFault, PathCollisions } from "./archive-names.ts";
import { checkEntryRatio, checkTotalRatio } from "./unpack-limits.ts";
import { locateDirectory, viewOf } from "./zip-end.ts";
import { type EntryNumbers, entryName, readExtra, unixTimeOf, withZip64 } from "./zip-extra.ts";
import { FLAG, HOST, IN_ZIP64_SHORT, LENGTH, METHOD, MODE, SIGNATURE } from "./zip-format.ts";

/** An entry as the central directory has it, checked. */
export interface ArchiveEntry extends EntryNumbers {
  /** Relative, with `/`, without one at the end. */
  readonly path: string;
  readonly isFolder: boolean;
  /** Bytes of the name in the archive. */
  readonly nameLength: number;
  /** Those bytes, where they are not UTF-8. Kept only then: a view for each entry would weigh more than all its numbers. */
  readonly foreignName: Uint8Array | undefined;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  /** Seconds since the epoch. */
  readonly mtime: number;
  /** Permission bits; undefined when the archive was made where there are none. */
  readonly mode: number | undefined;
  /** Where what follows its data begins: the next entry, or the directory. */
  readonly end: number;
}

/** Its end is set once all entries are known. */
type UnplacedEntry = Omit<ArchiveEntry, "end"> & { end: number };

const FLAGS_REFUSED = FLAG.encrypted | FLAG.patched | FLAG.strongEncryption | FLAG.masked;
const DOS_FOLDER = 0x10;
const WINDOWS_REPARSE_POINT = 0x400;

/**
 * Reads the central directory and checks all that can be known without the data: names, collisions, kinds, flags,
 * sizes, ratios, overlaps. The entries come in the order of their data.
 * @throws SyncError `archive_invalid`, `aborted`
 */
export async function readDirectory(
  file: ArchiveFile,
  compression: Compression,
  signal: AbortSignal | undefined,
): Promise<ArchiveEntry[]> {
  const location = await locateDirectory(file);
  const bytes = await file.bytes(location.offset, location.length);
  const view = viewOf(bytes);
  const turn = new Turn(signal);
  const collisions = new PathCollisions();
  const entries: UnplacedEntry[] = [];
  let at = 0;
  let total = 0;
  for (let i = 0; i < location.entries; i++) {
    const { entry, next } = readEntry(bytes, view, at, compression);
    checkEntry(entry, collisions);
    total += entry.size;
    entries.push(entry);
    at = next;
    if (turn.due()) await turn.pause();
  }
  if (at !== bytes.byteLength) throw archiveFault("has more in its directory than its end says");
  checkTotalRatio(total, file.size);
  return placed(entries, location.offset);
}

function readEntry(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  compression: Compression,
): { entry: UnplacedEntry; next: number } {
  if (at + LENGTH.centralHeader > bytes.byteLength) throw archiveFault("has a directory that is cut short");
  if (view.getUint32(at, true) !== SIGNATURE.centralHeader) throw archiveFault("has a broken directory");
  const nameEnd = at + LENGTH.centralHeader + view.getUint16(at + 28, true);
  const extraEnd = nameEnd + view.getUint16(at + 30, true);
  const next = extraEnd + view.getUint16(at + 32, true);
  if (next > bytes.byteLength) throw archiveFault("has a directory that is cut short");
  const disk = view.getUint16(at + 34, true);
  if (disk !== 0 && disk !== IN_ZIP64_SHORT) throw archiveFault("has several parts");
  const rawName = bytes.subarray(at + LENGTH.centralHeader, nameEnd);
  const extra = readExtra(bytes.subarray(nameEnd, extraEnd));
  const { name, isUtf8 } = entryName(rawName, extra.unicodePath, compression);
  const isFolder = name.endsWith("/");
  const numbers = withZip64(
    {
      compressedSize: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
    },
    extra.zip64,
  );
  const entry = {
    ...numbers,
    path: isFolder ? name.slice(0, -1) : name,
    isFolder,
    nameLength: rawName.byteLength,
    foreignName: isUtf8 ? undefined : rawName,
    flags: view.getUint16(at + 8, true),
    method: view.getUint16(at + 10, true),
    crc: view.getUint32(at + 16, true),
    mtime: unixTimeOf(extra.unixTime) ?? dosTime(view.getUint16(at + 12, true), view.getUint16(at + 14, true)),
    mode: modeOf(view.getUint16(at + 4, true) >> 8, view.getUint32(at + 38, true), isFolder, name),
    end: 0,
  };
  return { entry, next };
}

/** Permission bits. The type is looked at whatever system the entry claims to be from. @throws SyncError `archive_invalid` */
function modeOf(host: number, attributes: number, isFolder: boolean, name: string): number | undefined {
  const mode = attributes >>> 16;
  const type = mode & MODE.type;
  if (type !== 0 && type !== (isFolder ? MODE.folder : MODE.regular)) {
    throw archiveFault("has a symlink, a device or another special file, or a kind that its name denies", name);
  }
  if ((attributes & WINDOWS_REPARSE_POINT) !== 0) throw archiveFault("has a link of Windows", name);
  if ((attributes & DOS_FOLDER) !== 0 && !isFolder) throw archiveFault("has a folder with the name of a file", name);
  const hasMode = (host === HOST.unix || host === HOST.darwin) && (mode & 0o777) !== 0;
  return hasMode ? mode & 0o777 : undefined;
}

function checkEntry(entry: ArchiveEntry, collisions: PathCollisions): void {
  const { path, isFolder, flags, method, size, compressedSize } = entry;
  const fault = archivePathFault(path) ?? collisions.fault(path, isFolder);
  if (fault !== undefined) throw archiveFault(`has an entry whose name ${fault}`, path);
  if ((flags & FLAGS_REFUSED) !== 0) throw archiveFault("has an entry that is encrypted or patched", path);
  if (method !== METHOD.stored && method !== METHOD.deflated) {
    throw archiveFault("has an entry that is neither stored nor deflated", path);
  }
  if (isFolder && size !== 0) throw archiveFault("has a folder with contents", path);
  if (method === METHOD.stored && size !== compressedSize) throw archiveFault("has an entry with two sizes", path);
  checkEntryRatio(entry, path);
}

/** In the order of their data, each knowing where it ends at the latest. @throws SyncError `archive_invalid` when two overlap */
function placed(entries: readonly UnplacedEntry[], directoryAt: number): ArchiveEntry[] {
  const inOrder = entries.toSorted((a, b) => a.offset - b.offset);
  if ((inOrder[0]?.offset ?? directoryAt) !== 0) throw archiveFault("has bytes before its first entry");
  for (const [index, entry] of inOrder.entries()) {
    const end = inOrder[index + 1]?.offset ?? directoryAt;
    if (entry.offset + LENGTH.localHeader + entry.nameLength + entry.compressedSize > end) {
      throw archiveFault("has entries that overlap", entry.path);
    }
    entry.end = end;
  }
  return inOrder;
}

/** Local time, as tools that know no better write it. */
function dosTime(time: number, date: number): number {
  const day = new Date(
    1980 + (date >> 9),
    Math.max(0, ((date >> 5) & 15) - 1),
    Math.max(1, date & 31),
    time >> 11,
    (time >> 5) & 63,
    (time & 31) * 2,
  );
  return Math.floor(day.getTime() / 1_000);
}
