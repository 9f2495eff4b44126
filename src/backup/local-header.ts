import type { ArchiveEntry } from "./archive-entry.ts";
import { archiveFault } from "./archive-fault.ts";
import type { ArchiveFile } from "./archive-file.ts";
import { readU64, viewOf } from "./zip-end.ts";
import { decodedUtf8, ExtraFields } from "./zip-extra.ts";
import { FLAG, IN_ZIP64, LENGTH, SIGNATURE } from "./zip-format.ts";

/** Bits in which both headers must agree; the others only tell how hard was compressed. */
const FLAGS_COMPARED = FLAG.encrypted | FLAG.descriptor | FLAG.patched | FLAG.strongEncryption | FLAG.masked;

/**
 * Where the data of an entry begin. Its local header must say what the directory says, and its data must end where the next
 * entry begins: tools that read from the front and tools that read from the end see one and the same archive.
 * @param aheadBytes read beyond what is asked for, when it must be read at all
 * @throws SyncError `archive_invalid`
 */
export function dataOffset(file: ArchiveFile, entry: ArchiveEntry, aheadBytes?: number): number | Promise<number> {
  const length = LENGTH.localHeader + entry.nameLength;
  const header = file.bytes(entry.offset, length, aheadBytes);
  return header instanceof Promise ? header.then((bytes) => check(file, entry, bytes)) : check(file, entry, header);
}

function check(file: ArchiveFile, entry: ArchiveEntry, header: Uint8Array): number | Promise<number> {
  const view = viewOf(header);
  const differs =
    view.getUint32(0, true) !== SIGNATURE.localHeader ||
    ((view.getUint16(6, true) ^ entry.flags) & FLAGS_COMPARED) !== 0 ||
    view.getUint16(8, true) !== entry.method ||
    view.getUint16(26, true) !== entry.nameLength ||
    !isNameOf(entry, header.subarray(LENGTH.localHeader));
  if (differs) throw contradicts(entry);
  const extraLength = view.getUint16(28, true);
  const hasDescriptor = (entry.flags & FLAG.descriptor) !== 0;
  const dataAt = entry.offset + header.byteLength + extraLength;
  const gap = entry.end - dataAt - entry.compressedSize;
  if (gap < 0) throw archiveFault("has entries that overlap", entry.path);
  if (gap > 0 && !hasDescriptor) throw archiveFault("has bytes that belong to no entry", entry.path);
  const plain = {
    crc: view.getUint32(14, true),
    compressedSize: view.getUint32(18, true),
    size: view.getUint32(22, true),
  };
  const isPlain = plain.size !== IN_ZIP64 && plain.compressedSize !== IN_ZIP64;
  if (isPlain && !hasDescriptor) {
    if (!agrees(plain, entry)) throw contradicts(entry);
    return dataAt;
  }
  return checkLargeOrStreamed(file, entry, { ...plain, offset: 0 }, dataAt, extraLength, gap);
}

interface LocalNumbers {
  readonly crc: number;
  readonly size: number;
  readonly compressedSize: number;
  readonly offset: number;
}

async function checkLargeOrStreamed(
  file: ArchiveFile,
  entry: ArchiveEntry,
  plain: LocalNumbers,
  dataAt: number,
  extraLength: number,
  gap: number,
): Promise<number> {
  const extra = new ExtraFields(await file.bytes(dataAt - extraLength, extraLength));
  extra.read(0, extraLength);
  const local = { ...extra.withZip64(plain), crc: plain.crc };
  if ((entry.flags & FLAG.descriptor) === 0) {
    if (!agrees(local, entry)) throw contradicts(entry);
    return dataAt;
  }
  // What was not known yet is 0; some tools know the size beforehand.
  const known = {
    crc: local.crc || entry.crc,
    size: local.size || entry.size,
    compressedSize: local.compressedSize || entry.compressedSize,
  };
  if (!agrees(known, entry)) throw contradicts(entry);
  await checkDescriptor(file, entry, gap);
  return dataAt;
}

/** Four forms are in use: with and without a signature, with sizes of four and of eight bytes. */
async function checkDescriptor(file: ArchiveFile, entry: ArchiveEntry, gap: number): Promise<void> {
  if (![12, 16, 20, 24].includes(gap)) throw archiveFault("has bytes that belong to no entry", entry.path);
  const view = viewOf(await file.bytes(entry.end - gap, gap));
  const at = gap === 16 || gap === 24 ? 4 : 0;
  const isSigned = at === 0 || view.getUint32(0, true) === SIGNATURE.dataDescriptor;
  const numbers =
    gap - at === 12
      ? { compressedSize: view.getUint32(at + 4, true), size: view.getUint32(at + 8, true) }
      : { compressedSize: readU64(view, at + 4), size: readU64(view, at + 12) };
  if (!isSigned || !agrees({ ...numbers, crc: view.getUint32(at, true) }, entry)) throw contradicts(entry);
}

type Told = Pick<LocalNumbers, "crc" | "size" | "compressedSize">;

function agrees(told: Told, entry: ArchiveEntry): boolean {
  return told.crc === entry.crc && told.size === entry.size && told.compressedSize === entry.compressedSize;
}

function contradicts(entry: ArchiveEntry): Error {
  return archiveFault("says one thing in its directory and another beside the data", entry.path);
}

function isNameOf({ path, isFolder, foreignName }: ArchiveEntry, raw: Uint8Array): boolean {
  return foreignName === undefined ? decodedUtf8(raw) === (isFolder ? `${path}/` : path) : isEqual(raw, foreignName);
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.byteLength; i++) if (a[i] !== b[i]) return false;
  return true;
}
