import type { Compression } from "../platform/contract.ts";
import { archiveFault } from "./archive-fault.ts";
import { type EntryNumbers, entryName, ExtraFields } from "./zip-extra.ts";
import { viewOf } from "./zip-end.ts";
import { HOST, IN_ZIP64_SHORT, LENGTH, MODE, SIGNATURE } from "./zip-format.ts";

/** An entry as the central directory has it, checked. */
export interface ArchiveEntry extends EntryNumbers {
  /** Relative, with `/`, without one at the end. */
  readonly path: string;
  readonly isFolder: boolean;
  /** Bytes of the name in the archive. */
  readonly nameLength: number;
  /** Those bytes, where they are not the path in UTF-8. Kept only then: a view for each entry would weigh more than all its numbers. */
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

const DOS_FOLDER = 0x10;
const WINDOWS_REPARSE_POINT = 0x400;

/** Headers of a central directory, one after another. */
export class EntryHeaders {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #extra: ExtraFields;
  readonly #compression: Compression;

  constructor(bytes: Uint8Array, compression: Compression) {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
    this.#extra = new ExtraFields(bytes);
    this.#compression = compression;
  }

  /** Where the header after the one at `at` begins. @throws SyncError `archive_invalid` */
  next(at: number): number {
    if (at + LENGTH.centralHeader > this.#bytes.byteLength) throw archiveFault("has a directory that is cut short");
    if (this.#view.getUint32(at, true) !== SIGNATURE.centralHeader) throw archiveFault("has a broken directory");
    const next = this.#extraEnd(at) + this.#view.getUint16(at + 32, true);
    if (next > this.#bytes.byteLength) throw archiveFault("has a directory that is cut short");
    return next;
  }

  /**
   * The header at `at`, where `next` has found one whole.
   * @param end where what follows its data begins, once that is known
   * @throws SyncError `archive_invalid`
   */
  read(at: number, end = 0): ArchiveEntry {
    const view = this.#view;
    const disk = view.getUint16(at + 34, true);
    if (disk !== 0 && disk !== IN_ZIP64_SHORT) throw archiveFault("has several parts");
    const nameEnd = this.#nameEnd(at);
    const rawName = this.#bytes.subarray(at + LENGTH.centralHeader, nameEnd);
    const extra = this.#extra;
    extra.read(nameEnd, this.#extraEnd(at));
    const { name: told, isUtf8 } = entryName(rawName, extra.unicodePath(), this.#compression);
    // As tar has it, and bsdtar in its ZIP archives of `.` too; `./` alone is the workspace.
    const name = told.startsWith("./") && told.length > 2 ? told.slice(2) : told;
    const isFolder = name.endsWith("/");
    const { size, compressedSize, offset } = extra.withZip64({
      compressedSize: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
    });
    return {
      size,
      compressedSize,
      offset,
      path: isFolder ? name.slice(0, -1) : name,
      isFolder,
      nameLength: rawName.byteLength,
      foreignName: isUtf8 && name === told ? undefined : rawName,
      flags: view.getUint16(at + 8, true),
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      mtime: extra.unixTime() ?? dosTime(view.getUint16(at + 12, true), view.getUint16(at + 14, true)),
      mode: modeOf(view.getUint16(at + 4, true) >> 8, view.getUint32(at + 38, true), isFolder, name),
      end,
    };
  }

  /** The headers at `starts`, one after another. */
  copyOf(starts: readonly number[]): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(starts.reduce((sum, at) => sum + this.next(at) - at, 0));
    let to = 0;
    for (let i = 0; i < starts.length; ) {
      const from = starts[i++] ?? 0;
      let end = this.next(from);
      // Those that stand one after another already go together.
      while (starts[i] === end) end = this.next(starts[i++] ?? 0);
      bytes.set(this.#bytes.subarray(from, end), to);
      to += end - from;
    }
    return bytes;
  }

  #nameEnd(at: number): number {
    return at + LENGTH.centralHeader + this.#view.getUint16(at + 28, true);
  }

  #extraEnd(at: number): number {
    return this.#nameEnd(at) + this.#view.getUint16(at + 30, true);
  }
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
