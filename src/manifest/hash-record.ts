import type { RelativePath } from "../core/paths.ts";
import type { FileStat } from "../platform/contract.ts";
import type { ManifestEntry, SkipReason } from "./manifest.ts";
import { pythonMtime } from "./python-float.ts";

/** What became of a file, as its row notes it: nothing yet, hashed, left to be hashed alone, or one of FAILURES. */
const HASHED = 1;
const LARGE = 2;
const FAILURES_FROM = 3;
const FAILURES: readonly SkipReason[] = ["unreadable", "vanished", "changed", "not_a_file"];

const HEADER_BYTES = 24;
const SHA256_BYTES = 32;
/** size, mtime as a manifest has it, mtime, ctime, moment of hashing, inode, device: eight bytes each. */
const COLUMNS = 7;
const ROW_BYTES = COLUMNS * 8 + SHA256_BYTES + 1;
const ALIGNMENT = 8;

/**
 * A file modified within this time before it was hashed may have been modified again in the same tick of the file
 * system's clock (two seconds on FAT): its hash is never trusted later.
 */
const RACY_NS = 2_000_000_000n;

/**
 * The hashes of some files of one folder and the stats they belong to, in one piece of memory: what threads hand to
 * each other and what the hash index stores. The layout is little more than columns: header (bytes in all, rows,
 * bytes of the folder's name, bytes of the names, part, rows hashed), columns of eight bytes, sha256, outcome, folder, names.
 */
export class HashRecord {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly rows: number;
  readonly size: Float64Array;
  /** Seconds since the epoch, as a manifest has them. */
  readonly mtime: Float64Array;
  readonly #header: Uint32Array;
  readonly #mtimeNs: BigInt64Array;
  readonly #ctimeNs: BigInt64Array;
  readonly #hashedAtNs: BigInt64Array;
  readonly #inode: BigUint64Array;
  readonly #device: BigUint64Array;
  readonly #sha256: Uint8Array;
  readonly #outcome: Uint8Array;

  /** @param bytes a whole record, aligned to eight bytes, whose origin is trusted */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    const { buffer, byteOffset } = bytes;
    this.bytes = bytes;
    this.#header = new Uint32Array(buffer, byteOffset, HEADER_BYTES / 4);
    const rows = this.#header[1] ?? 0;
    this.rows = rows;
    const column = (index: number) => byteOffset + HEADER_BYTES + index * rows * 8;
    this.size = new Float64Array(buffer, column(0), rows);
    this.mtime = new Float64Array(buffer, column(1), rows);
    this.#mtimeNs = new BigInt64Array(buffer, column(2), rows);
    this.#ctimeNs = new BigInt64Array(buffer, column(3), rows);
    this.#hashedAtNs = new BigInt64Array(buffer, column(4), rows);
    this.#inode = new BigUint64Array(buffer, column(5), rows);
    this.#device = new BigUint64Array(buffer, column(6), rows);
    this.#sha256 = new Uint8Array(buffer, column(COLUMNS), rows * SHA256_BYTES);
    this.#outcome = new Uint8Array(buffer, column(COLUMNS) + rows * SHA256_BYTES, rows);
  }

  /**
   * An empty record.
   * @param folder as the index calls it
   * @param names of the files, joined by NUL
   * @param part its place among the records of the folder
   */
  static create(folder: string, names: string, rows: number, part: number): HashRecord {
    const encoder = new TextEncoder();
    const folderBytes = encoder.encode(folder);
    const nameBytes = encoder.encode(names);
    const textAt = HEADER_BYTES + rows * ROW_BYTES;
    const length = textAt + folderBytes.byteLength + nameBytes.byteLength;
    const bytes = new Uint8Array(Math.ceil(length / ALIGNMENT) * ALIGNMENT);
    new Uint32Array(bytes.buffer, 0, HEADER_BYTES / 4).set([
      bytes.byteLength,
      rows,
      folderBytes.byteLength,
      nameBytes.byteLength,
      part,
      0,
    ]);
    bytes.set(folderBytes, textAt);
    bytes.set(nameBytes, textAt + folderBytes.byteLength);
    return new HashRecord(bytes);
  }

  /** The records that stand one after another in `bytes`. */
  static *each(bytes: Uint8Array<ArrayBuffer>): Generator<HashRecord> {
    for (let at = 0; at < bytes.byteLength; ) {
      const [length = 0] = new Uint32Array(bytes.buffer, bytes.byteOffset + at, 1);
      yield new HashRecord(bytes.subarray(at, at + length));
      at += length;
    }
  }

  get part(): number {
    return this.#header[4] ?? 0;
  }

  /** Rows that hold a hash. */
  get hashedRows(): number {
    return this.#header[5] ?? 0;
  }

  folder(): string {
    return this.#text(0, this.#header[2] ?? 0);
  }

  /** Joined by NUL. */
  joinedNames(): string {
    return this.#text(this.#header[2] ?? 0, this.#header[3] ?? 0);
  }

  names(): string[] {
    return this.rows === 0 ? [] : this.joinedNames().split("\0");
  }

  /** Every hash in hex, one after another: row k's 64 digits start at 64 k. */
  hashes(): string {
    return this.#sha256.toHex();
  }

  /** A hashed row as a manifest has it. @param hashes what `hashes` gives, for all rows at once */
  entry(row: number, path: RelativePath, hashes: string): ManifestEntry {
    const at = row * SHA256_BYTES * 2;
    const sha256 = hashes.slice(at, at + SHA256_BYTES * 2);
    return { path, size: this.size[row] ?? 0, mtime: this.mtime[row] ?? 0, sha256 };
  }

  /** Why the row has no hash; undefined when it has one. */
  failure(row: number): SkipReason | undefined {
    return FAILURES[(this.#outcome[row] ?? 0) - FAILURES_FROM];
  }

  isHashed(row: number): boolean {
    return this.#outcome[row] === HASHED;
  }

  /** True for a file left to be hashed alone. `size` is set. */
  isLarge(row: number): boolean {
    return this.#outcome[row] === LARGE;
  }

  /** @param hashedAtNs no later than the first byte was read */
  setHashed(row: number, stat: FileStat, sha256: string, hashedAtNs: bigint): void {
    this.#outcome[row] = HASHED;
    this.size[row] = stat.size;
    this.mtime[row] = pythonMtime(stat.mtimeNs);
    this.#mtimeNs[row] = stat.mtimeNs;
    this.#ctimeNs[row] = stat.ctimeNs;
    this.#hashedAtNs[row] = hashedAtNs;
    this.#inode[row] = stat.inode;
    this.#device[row] = stat.device;
    writeHex(sha256, this.#sha256, row * SHA256_BYTES);
    this.#header[5] = this.hashedRows + 1;
  }

  setFailed(row: number, reason: SkipReason): void {
    this.#outcome[row] = FAILURES.indexOf(reason) + FAILURES_FROM;
  }

  setLarge(row: number, size: number): void {
    this.size[row] = size;
    this.#outcome[row] = LARGE;
  }

  /** Takes over what another record says of a file. */
  copyRow(row: number, from: HashRecord, fromRow: number): void {
    this.size[row] = from.size[fromRow] ?? 0;
    this.mtime[row] = from.mtime[fromRow] ?? 0;
    this.#mtimeNs[row] = from.#mtimeNs[fromRow] ?? 0n;
    this.#ctimeNs[row] = from.#ctimeNs[fromRow] ?? 0n;
    this.#hashedAtNs[row] = from.#hashedAtNs[fromRow] ?? 0n;
    this.#inode[row] = from.#inode[fromRow] ?? 0n;
    this.#device[row] = from.#device[fromRow] ?? 0n;
    const at = fromRow * SHA256_BYTES;
    this.#sha256.set(from.#sha256.subarray(at, at + SHA256_BYTES), row * SHA256_BYTES);
    this.#outcome[row] = from.#outcome[fromRow] ?? 0;
    if (this.isHashed(row)) this.#header[5] = this.hashedRows + 1;
  }

  /** True when the row is about the file with `stat`, whatever its name. */
  isOf(row: number, stat: FileStat): boolean {
    return stat.inode === this.#inode[row] && stat.device === this.#device[row];
  }

  /**
   * True when the file with `stat` surely has the bytes that were hashed. The inode tells a file put in the other's
   * place, the ctime one whose mtime was put back; the device does not count, since network mounts change theirs.
   */
  isTrusted(row: number, stat: FileStat, nowNs: bigint): boolean {
    const hashedAtNs = this.#hashedAtNs[row] ?? 0n;
    const settledNs = hashedAtNs - RACY_NS;
    return (
      this.isHashed(row) &&
      stat.kind === "file" &&
      stat.size === this.size[row] &&
      stat.mtimeNs === this.#mtimeNs[row] &&
      stat.ctimeNs === this.#ctimeNs[row] &&
      stat.inode === this.#inode[row] &&
      stat.mtimeNs <= settledNs &&
      stat.ctimeNs <= settledNs &&
      // Else the clock went backwards, and what the stat says may have come about twice.
      hashedAtNs <= nowNs
    );
  }

  #text(from: number, length: number): string {
    const start = HEADER_BYTES + this.rows * ROW_BYTES + from;
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(this.bytes.subarray(start, start + length));
  }
}

/** @param hex lower-case digits */
function writeHex(hex: string, into: Uint8Array, at: number): void {
  for (let k = 0; k < hex.length; k += 2) {
    into[at + k / 2] = (hexValue(hex.charCodeAt(k)) << 4) | hexValue(hex.charCodeAt(k + 1));
  }
}

function hexValue(unit: number): number {
  return unit < 0x40 ? unit - 0x30 : unit - 0x57;
}
