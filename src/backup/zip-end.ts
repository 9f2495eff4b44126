import { archiveFault } from "./archive-fault.ts";
import type { ArchiveFile } from "./archive-file.ts";
import { ARCHIVE_LIMITS, IN_ZIP64, IN_ZIP64_SHORT, LENGTH, SIGNATURE } from "./zip-format.ts";

/** Where the central directory is. */
export interface DirectoryLocation {
  readonly entries: number;
  readonly offset: number;
  readonly length: number;
}

const COMMENT_BYTES_MAX = 0xffff;
/**
 * Finds the central directory. Nothing may stand after the end record but its comment, and the directory must end
 * where the end records begin: what can be read in two ways is read in none.
 * @throws SyncError `archive_invalid`
 */
export async function locateDirectory(file: ArchiveFile): Promise<DirectoryLocation> {
  if (file.size < LENGTH.end) throw archiveFault("is no ZIP archive, or was cut short");
  const tailLength = Math.min(file.size, LENGTH.end + COMMENT_BYTES_MAX);
  const tailStart = file.size - tailLength;
  const tail = await file.bytes(tailStart, tailLength);
  const at = findEnd(tail);
  const view = viewOf(tail.subarray(at));
  const disks = [view.getUint16(4, true), view.getUint16(6, true)];
  const entriesHere = view.getUint16(8, true);
  const plain: DirectoryLocation = {
    entries: view.getUint16(10, true),
    length: view.getUint32(12, true),
    offset: view.getUint32(16, true),
  };
  if (entriesHere !== plain.entries) throw archiveFault("has several parts");
  const endAt = tailStart + at;
  const zip64 = await readZip64End(file, endAt);
  if (zip64 === undefined) {
    if (disks.some((disk) => disk !== 0)) throw archiveFault("has several parts");
    return checked(plain, endAt);
  }
  if (disks.some((disk) => disk !== 0 && disk !== IN_ZIP64_SHORT)) throw archiveFault("has several parts");
  const { location, startsAt } = zip64;
  const agrees =
    (plain.entries === IN_ZIP64_SHORT || plain.entries === location.entries) &&
    (plain.length === IN_ZIP64 || plain.length === location.length) &&
    (plain.offset === IN_ZIP64 || plain.offset === location.offset);
  if (!agrees) throw archiveFault("has two end records that contradict each other");
  return checked(location, startsAt);
}

function checked(location: DirectoryLocation, endsAt: number): DirectoryLocation {
  const { entries, offset, length } = location;
  if (offset + length !== endsAt) {
    throw archiveFault("has its directory elsewhere than its end says, or bytes that belong to no entry");
  }
  const { entriesMax, directoryBytesMax } = ARCHIVE_LIMITS;
  if (entries > entriesMax || length > directoryBytesMax) throw archiveFault(`has more than ${entriesMax} entries`);
  if (entries * LENGTH.centralHeader > length) throw archiveFault("has a directory shorter than its entries");
  return location;
}

/** Index of the end record in the last bytes of the file. */
function findEnd(tail: Uint8Array): number {
  const view = viewOf(tail);
  let found: number | undefined;
  let hasOther = false;
  for (let at = tail.byteLength - LENGTH.end; at >= 0; at--) {
    if (tail[at] !== 0x50 || view.getUint32(at, true) !== SIGNATURE.end) continue;
    if (view.getUint16(at + 20, true) !== tail.byteLength - at - LENGTH.end) hasOther = true;
    else if (found !== undefined) throw archiveFault("has two ends");
    else found = at;
  }
  if (found !== undefined) return found;
  throw archiveFault(hasOther ? "has bytes after its end" : "is no ZIP archive, or was cut short");
}

async function readZip64End(
  file: ArchiveFile,
  endAt: number,
): Promise<{ location: DirectoryLocation; startsAt: number } | undefined> {
  const locatorAt = endAt - LENGTH.zip64Locator;
  if (locatorAt < LENGTH.zip64End) return undefined;
  const locator = viewOf(await file.bytes(locatorAt, LENGTH.zip64Locator));
  if (locator.getUint32(0, true) !== SIGNATURE.zip64Locator) return undefined;
  if (locator.getUint32(4, true) !== 0 || locator.getUint32(16, true) > 1) throw archiveFault("has several parts");
  const startsAt = readU64(locator, 8);
  if (startsAt > locatorAt - LENGTH.zip64End)
    throw archiveFault("has a Zip64 end record that is not before its locator");
  const record = viewOf(await file.bytes(startsAt, LENGTH.zip64End));
  if (record.getUint32(0, true) !== SIGNATURE.zip64End || startsAt + 12 + readU64(record, 4) !== locatorAt) {
    throw archiveFault("has no Zip64 end record where its locator says");
  }
  const entries = readU64(record, 32);
  if (record.getUint32(16, true) !== 0 || record.getUint32(20, true) !== 0 || readU64(record, 24) !== entries) {
    throw archiveFault("has several parts");
  }
  return { location: { entries, length: readU64(record, 40), offset: readU64(record, 48) }, startsAt };
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** @throws SyncError `archive_invalid` for what no file can be */
export function readU64(view: DataView, at: number): number {
  const value = view.getBigUint64(at, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw archiveFault("has a size or offset that no file has");
  return Number(value);
}
