import { EXTRA, FLAG, HOST, IN_ZIP64, IN_ZIP64_SHORT, LENGTH, MODE, SIGNATURE } from "./zip-format.ts";

/** An entry as it is written into an archive. */
export interface WrittenEntry {
  /** UTF-8. */
  readonly name: Uint8Array;
  /** METHOD.stored or METHOD.deflated. */
  readonly method: number;
  readonly crc: number;
  readonly size: number;
  readonly compressedSize: number;
  /** Of the local header in the archive. */
  readonly offset: number;
  /** Seconds since the epoch. */
  readonly mtime: number;
  /** Permission bits. */
  readonly mode: number;
  /** The local header has room for sizes of eight bytes: decided before they are known. */
  readonly roomy: boolean;
}

const VERSION_PLAIN = 20;
const VERSION_ZIP64 = 45;
const UTF8_ONLY = FLAG.utf8;
const UNIX_TIME_MIN = -0x8000_0000;
const UNIX_TIME_MAX = 0x7fff_ffff;

/** Writes little-endian fields one after the other. */
class Fields {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  #at = 0;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.#view = new DataView(this.bytes.buffer);
  }

  u8(value: number): this {
    this.#view.setUint8(this.#at, value);
    this.#at += 1;
    return this;
  }

  u16(value: number): this {
    this.#view.setUint16(this.#at, value, true);
    this.#at += 2;
    return this;
  }

  u32(value: number): this {
    this.#view.setUint32(this.#at, value >>> 0, true);
    this.#at += 4;
    return this;
  }

  u64(value: number): this {
    this.u32(value % 0x1_0000_0000);
    return this.u32(Math.floor(value / 0x1_0000_0000));
  }

  raw(bytes: Uint8Array): this {
    this.bytes.set(bytes, this.#at);
    this.#at += bytes.byteLength;
    return this;
  }
}

/** Its length depends on `name`, `mtime` and `roomy` alone, so that it can be written again once sizes are known. */
export function localHeader(entry: WrittenEntry): Uint8Array<ArrayBuffer> {
  const { name, method, crc, size, compressedSize, mtime, roomy } = entry;
  const time = unixTime(mtime);
  const extraLength = (roomy ? 20 : 0) + (time === undefined ? 0 : 9);
  const fields = new Fields(LENGTH.localHeader + name.byteLength + extraLength)
    .u32(SIGNATURE.localHeader)
    .u16(roomy ? VERSION_ZIP64 : VERSION_PLAIN)
    .u16(UTF8_ONLY)
    .u16(method)
    .u32(dosTime(mtime))
    .u32(crc)
    .u32(roomy ? IN_ZIP64 : compressedSize)
    .u32(roomy ? IN_ZIP64 : size)
    .u16(name.byteLength)
    .u16(extraLength)
    .raw(name);
  if (roomy) fields.u16(EXTRA.zip64).u16(16).u64(size).u64(compressedSize);
  if (time !== undefined) fields.u16(EXTRA.unixTime).u16(5).u8(1).u32(time);
  return fields.bytes;
}

export function centralHeader(entry: WrittenEntry): Uint8Array<ArrayBuffer> {
  const { name, method, crc, size, compressedSize, offset, mtime, mode } = entry;
  const large = [size, compressedSize, offset].filter((value) => value >= IN_ZIP64);
  const version = large.length > 0 || entry.roomy ? VERSION_ZIP64 : VERSION_PLAIN;
  const time = unixTime(mtime);
  const extraLength = (large.length === 0 ? 0 : 4 + 8 * large.length) + (time === undefined ? 0 : 9);
  const fields = new Fields(LENGTH.centralHeader + name.byteLength + extraLength)
    .u32(SIGNATURE.centralHeader)
    .u16((HOST.unix << 8) | version)
    .u16(version)
    .u16(UTF8_ONLY)
    .u16(method)
    .u32(dosTime(mtime))
    .u32(crc)
    .u32(Math.min(compressedSize, IN_ZIP64))
    .u32(Math.min(size, IN_ZIP64))
    .u16(name.byteLength)
    .u16(extraLength)
    // Comment, disk, internal attributes.
    .u16(0)
    .u16(0)
    .u16(0)
    .u32(((MODE.regular | (mode & 0o777)) << 16) >>> 0)
    .u32(Math.min(offset, IN_ZIP64))
    .raw(name);
  if (large.length > 0) {
    fields.u16(EXTRA.zip64).u16(8 * large.length);
    for (const value of large) fields.u64(value);
  }
  if (time !== undefined) fields.u16(EXTRA.unixTime).u16(5).u8(1).u32(time);
  return fields.bytes;
}

export interface DirectoryPlace {
  readonly entries: number;
  readonly offset: number;
  readonly length: number;
}

/** What stands after the central directory. */
export function endRecords({ entries, offset, length }: DirectoryPlace): Uint8Array<ArrayBuffer> {
  const zip64 = entries >= IN_ZIP64_SHORT || offset >= IN_ZIP64 || length >= IN_ZIP64;
  const fields = new Fields(LENGTH.end + (zip64 ? LENGTH.zip64End + LENGTH.zip64Locator : 0));
  if (zip64) {
    fields
      .u32(SIGNATURE.zip64End)
      .u64(LENGTH.zip64End - 12)
      .u16((HOST.unix << 8) | VERSION_ZIP64)
      .u16(VERSION_ZIP64)
      .u32(0)
      .u32(0)
      .u64(entries)
      .u64(entries)
      .u64(length)
      .u64(offset);
    fields
      .u32(SIGNATURE.zip64Locator)
      .u32(0)
      .u64(offset + length)
      .u32(1);
  }
  return fields
    .u32(SIGNATURE.end)
    .u16(0)
    .u16(0)
    .u16(Math.min(entries, IN_ZIP64_SHORT))
    .u16(Math.min(entries, IN_ZIP64_SHORT))
    .u32(Math.min(length, IN_ZIP64))
    .u32(Math.min(offset, IN_ZIP64))
    .u16(0).bytes;
}

/** Whole seconds where the field holds them (1901 to 2038). */
function unixTime(mtime: number): number | undefined {
  const seconds = Math.floor(mtime);
  return seconds >= UNIX_TIME_MIN && seconds <= UNIX_TIME_MAX ? seconds : undefined;
}

/** Time and date of MS-DOS: local time, two seconds fine, 1980 to 2107. */
function dosTime(mtime: number): number {
  const date = new Date(mtime * 1000);
  const year = date.getFullYear();
  if (Number.isNaN(year) || year < 1980) return (1 << 21) | (1 << 16);
  if (year > 2107) return dosTime(new Date(2107, 11, 31, 23, 59, 58).getTime() / 1000);
  const day = ((year - 1980) << 9) | ((date.getMonth() + 1) << 5) | date.getDate();
  const time = (date.getHours() << 11) | (date.getMinutes() << 5) | (date.getSeconds() >> 1);
  return ((day << 16) | time) >>> 0;
}
