import type { Compression } from "../platform/contract.ts";
import { archiveFault } from "./archive-fault.ts";
import { type EntryNumbers, entryName, ExtraFields } from "./zip-extra.ts";
import { viewOf } from "./zip-end.ts";
import { HOST, IN_ZIP64, IN_ZIP64_SHORT, LENGTH, MODE, SIGNATURE } from "./zip-format.ts";

/** What an entry is called in the workspace. */
export interface EntryName {
  /** Relative, with `/`, without one at the end. */
  readonly path: string;
  readonly isFolder: boolean;
}

/** An entry as the central directory has it, checked. */
export interface ArchiveEntry extends EntryName, EntryNumbers {
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
    const { path, isFolder, isForeign, raw } = this.#name(at);
    const extra = this.#extra;
    const { size, compressedSize, offset } = extra.withZip64({
      compressedSize: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
    });
    return {
      size,
      compressedSize,
      offset,
      path,
      isFolder,
      nameLength: raw.byteLength,
      foreignName: isForeign ? raw : undefined,
      flags: view.getUint16(at + 8, true),
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      mtime: extra.unixTime() ?? dosTime(view.getUint16(at + 12, true), view.getUint16(at + 14, true)),
      mode: modeOf(view.getUint16(at + 4, true) >> 8, view.getUint32(at + 38, true), isFolder, path),
      end,
    };
  }

  /** What `read` tells of the name, for less time and memory. @throws SyncError `archive_invalid` */
  name(at: number): EntryName {
    return this.#name(at);
  }

  /** What `read` tells as `size`. @throws SyncError `archive_invalid` */
  size(at: number): number {
    const size = this.#view.getUint32(at + 24, true);
    return size === IN_ZIP64 ? this.read(at).size : size;
  }

  /** The headers at `starts`, one after another. */
  copyOf(starts: readonly number[]): Uint8Array<ArrayBuffer> {
    const runs: Uint8Array[] = [];
    let length = 0;
    for (let i = 0; i < starts.length; ) {
      const from = starts[i++] ?? 0;
      let end = this.next(from);
      // Those that stand one after another already go together.
      while (starts[i] === end) end = this.next(starts[i++] ?? 0);
      runs.push(this.#bytes.subarray(from, end));
      length += end - from;
    }
    const bytes = new Uint8Array(length);
    let to = 0;
    for (const run of runs) {
      bytes.set(run, to);
      to += run.byteLength;
    }
    return bytes;
  }

  /** Goes to the header's extra fields besides. */
  #name(at: number): EntryName & { readonly raw: Uint8Array; readonly isForeign: boolean } {
    const nameEnd = this.#nameEnd(at);
    const raw = this.#bytes.subarray(at + LENGTH.centralHeader, nameEnd);
    this.#extra.read(nameEnd, this.#extraEnd(at));
    const { name: told, isUtf8 } = entryName(raw, this.#extra.unicodePath(), this.#compression);
    // As tar has it, and bsdtar in its ZIP archives of `.` too; `./` alone is the workspace.
    const name = told.startsWith("./") && told.length > 2 ? told.slice(2) : told;
    const isFolder = name.endsWith("/");
    return { path: isFolder ? name.slice(0, -1) : name, isFolder, raw, isForeign: !isUtf8 || name !== told };
  }

  #nameEnd(at: number): number {
    return at + LENGTH.centralHeader + this.#view.getUint16(at + 28, true);
  }

  #extraEnd(at: number): number {
    return this.#nameEnd(at) + this.#view.getUint16(at + 30, true);
  }
}

/** Permission bits. The type is looked at whatever system the entry claims to be from. @throws SyncError `archive_invalid` */
function modeOf(host: number, attributes: number, isFolder: boolean, path: string): number | undefined {
  const mode = attributes >>> 16;
  const type = mode & MODE.type;
  if (type !== 0 && type !== (isFolder ? MODE.folder : MODE.regular)) {
    throw archiveFault("has a symlink, a device or another special file, or a kind that its name denies", path);
  }
  if ((attributes & WINDOWS_REPARSE_POINT) !== 0) throw archiveFault("has a link of Windows", path);
  if ((attributes & DOS_FOLDER) !== 0 && !isFolder) throw archiveFault("has a folder with the name of a file", path);
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
