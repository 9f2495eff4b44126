import type { RelativePath } from "../core/paths.ts";
import type { FileStat, QuickStat } from "../platform/contract.ts";
import type { ManifestEntry, SkipReason } from "./manifest.ts";
import { pythonMtime } from "./python-float.ts";

/** What became of a file, as its row notes it: nothing yet, hashed, left to be hashed alone, or one of FAILURES. */
const HASHED = 1;
const LARGE = 2;
const FAILURES_FROM = 3;
const FAILURES: readonly SkipReason[] = ["unreadable", "vanished", "changed", "not_a_file"];

const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });
const HEADER_BYTES = 24;
const SHA256_BYTES = 32;
/** size, mtime in seconds as a manifest has it, ctime and moment of hashing in milliseconds: eight bytes each. */
const [SIZE, MTIME, CTIME_MS, HASHED_AT_MS, NUMBERS] = [0, 1, 2, 3, 4];
/** inode, device: eight bytes each. */
const IDS = 2;
const ROW_BYTES = (NUMBERS + IDS) * 8 + SHA256_BYTES + 1;
const ALIGNMENT = 8;

/**
 * A file modified within this time before it was hashed may have been modified again in the same tick of the file
 * system's clock (two seconds on FAT): its hash is never trusted later.
 */
const RACY_MS = 2_000;
/** Of today's times doubles hold half of that. */
const SAME_TIME_MS = 0.001;
/** Of times centuries away they hold less: two of their steps, for each way to the number rounds by itself. */
const DOUBLE_STEP = 2 ** -51;

/** The columns of a record, row by row what is known of a file. */
export class KnownStats {
  readonly rows: number;
  /** Column by column. */
  readonly numbers: Float64Array;
  readonly inode: BigUint64Array;
  /** The same in words, the low one first: a BigInt is made of memory. */
  readonly #inodeWords: Uint32Array;
  readonly device: BigUint64Array;
  readonly sha256: Uint8Array<ArrayBuffer>;
  readonly outcome: Uint8Array;

  constructor({ buffer, byteOffset }: Uint8Array<ArrayBuffer>, rows: number) {
    const numbersAt = byteOffset + HEADER_BYTES;
    const idsAt = numbersAt + NUMBERS * rows * 8;
    const sha256At = idsAt + IDS * rows * 8;
    this.rows = rows;
    this.numbers = new Float64Array(buffer, numbersAt, NUMBERS * rows);
    this.inode = new BigUint64Array(buffer, idsAt, rows);
    this.#inodeWords = new Uint32Array(buffer, idsAt, 2 * rows);
    this.device = new BigUint64Array(buffer, idsAt + rows * 8, rows);
    this.sha256 = new Uint8Array(buffer, sha256At, rows * SHA256_BYTES);
    this.outcome = new Uint8Array(buffer, sha256At + rows * SHA256_BYTES, rows);
  }

  /**
   * True when the file with `stat` surely has the bytes that were hashed, and the inode is not beyond what `stat` can
   * tell. The inode tells a file put in the other's place, the ctime one whose mtime was put back; the device does not
   * count, since network mounts change theirs.
   */
  isTrusted(row: number, stat: QuickStat, nowMs: number): boolean {
    const { numbers, rows } = this;
    const { mtimeMs, ctimeMs } = stat;
    if (
      this.outcome[row] !== HASHED ||
      !stat.isFile() ||
      stat.size !== numbers[row] ||
      stat.ino !== this.#inodeOf(row) ||
      !isSameTime(mtimeMs, (numbers[MTIME * rows + row] ?? 0) * 1_000) ||
      !isSameTime(ctimeMs, numbers[CTIME_MS * rows + row] ?? 0)
    )
      return false;
    const hashedAtMs = numbers[HASHED_AT_MS * rows + row] ?? 0;
    const settledMs = hashedAtMs - RACY_MS;
    // Hashed in what is the future now: the clock went backwards, and what the stat says may have come about twice.
    return mtimeMs <= settledMs && ctimeMs <= settledMs && hashedAtMs <= nowMs;
  }

  #inodeOf(row: number): number {
    return (this.#inodeWords[2 * row] ?? 0) + (this.#inodeWords[2 * row + 1] ?? 0) * 2 ** 32;
  }
}

/**
 * The hashes of some files of one folder and the stats they belong to, in one piece of memory: what threads hand to
 * each other and what the hash index stores. The layout is little more than columns: header (bytes in all, rows,
 * bytes of the folder's name, bytes of the names, part, rows hashed), columns of eight bytes, sha256, outcome, folder, names.
 */
export class HashRecord {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly rows: number;
  readonly #header: Uint32Array;
  #stats: KnownStats | undefined;

  /** @param bytes a whole record, aligned to eight bytes, whose origin is trusted */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.bytes = bytes;
    this.#header = new Uint32Array(bytes.buffer, bytes.byteOffset, HEADER_BYTES / 4);
    this.rows = this.#header[1] ?? 0;
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

  /** The records that stand one after another in `bytes`, up to what is none: another program may have put it there. */
  static *each(bytes: Uint8Array<ArrayBuffer>): Generator<HashRecord> {
    for (let at = 0; at + HEADER_BYTES <= bytes.byteLength; ) {
      const [length = 0, rows = 0, folderBytes = 0, nameBytes = 0] = new Uint32Array(
        bytes.buffer,
        bytes.byteOffset + at,
        HEADER_BYTES / 4,
      );
      const needed = HEADER_BYTES + rows * ROW_BYTES + folderBytes + nameBytes;
      if (length < needed || length % ALIGNMENT !== 0 || at + length > bytes.byteLength) return;
      yield new HashRecord(bytes.subarray(at, at + length));
      at += length;
    }
  }

  /** Made when first asked for: of most records of an index only the header ever is. */
  get stats(): KnownStats {
    this.#stats ??= new KnownStats(this.bytes, this.rows);
    return this.#stats;
  }

  get part(): number {
    return this.#header[4] ?? 0;
  }

  /** Rows that hold a hash. */
  get hashedRows(): number {
    return this.#header[5] ?? 0;
  }

  folder(): string {
    return UTF8.decode(this.#bytes(0, this.#header[2] ?? 0));
  }

  /** Joined by NUL. */
  joinedNames(): string {
    return UTF8.decode(this.nameBytes());
  }

  /** The same in UTF-8. */
  nameBytes(): Uint8Array {
    return this.#bytes(this.#header[2] ?? 0, this.#header[3] ?? 0);
  }

  names(): string[] {
    return this.rows === 0 ? [] : this.joinedNames().split("\0");
  }

  name(row: number): string {
    const names = this.nameBytes();
    // Without cutting them all apart for those that are asked for.
    if (row === this.rows - 1) return UTF8.decode(names.subarray(names.lastIndexOf(0) + 1));
    return row === 0 ? UTF8.decode(names.subarray(0, names.indexOf(0))) : (UTF8.decode(names).split("\0")[row] ?? "");
  }

  /** Every hash in hex, one after another: row k's 64 digits start at 64 k. */
  hashes(): string {
    return this.stats.sha256.toHex();
  }

  /** A hashed row as a manifest has it. @param hashes what `hashes` gives: pays when many rows are asked for */
  entry(row: number, path: RelativePath, hashes?: string): ManifestEntry {
    const at = row * SHA256_BYTES;
    const sha256 =
      hashes?.slice(at * 2, (at + SHA256_BYTES) * 2) ?? this.stats.sha256.subarray(at, at + SHA256_BYTES).toHex();
    return { path, size: this.size(row), mtime: this.#number(MTIME, row), sha256 };
  }

  /** Bytes; of a row that is hashed or large. */
  size(row: number): number {
    return this.#number(SIZE, row);
  }

  /** Why the row has no hash; undefined when it has one. */
  failure(row: number): SkipReason | undefined {
    return FAILURES[(this.stats.outcome[row] ?? 0) - FAILURES_FROM];
  }

  isHashed(row: number): boolean {
    return this.stats.outcome[row] === HASHED;
  }

  /** True for a file left to be hashed alone. `size` is set. */
  isLarge(row: number): boolean {
    return this.stats.outcome[row] === LARGE;
  }

  /** @param hashedAtMs since the epoch, no later than the first byte was read */
  setHashed(row: number, stat: FileStat, sha256: string, hashedAtMs: number): void {
    const into = this.stats;
    into.outcome[row] = HASHED;
    this.#setNumber(SIZE, row, stat.size);
    this.#setNumber(MTIME, row, pythonMtime(stat.mtimeNs));
    this.#setNumber(CTIME_MS, row, Number(stat.ctimeNs) / 1e6);
    this.#setNumber(HASHED_AT_MS, row, hashedAtMs);
    into.inode[row] = stat.inode;
    into.device[row] = stat.device;
    into.sha256.subarray(row * SHA256_BYTES).setFromHex(sha256);
    this.#header[5] = this.hashedRows + 1;
  }

  setFailed(row: number, reason: SkipReason): void {
    this.stats.outcome[row] = FAILURES.indexOf(reason) + FAILURES_FROM;
  }

  setLarge(row: number, size: number): void {
    this.#setNumber(SIZE, row, size);
    this.stats.outcome[row] = LARGE;
  }

  /** Takes over what another record says of a file. */
  copyRow(row: number, source: HashRecord, sourceRow: number): void {
    const [into, from] = [this.stats, source.stats];
    for (let column = 0; column < NUMBERS; column++) this.#setNumber(column, row, source.#number(column, sourceRow));
    into.inode[row] = from.inode[sourceRow] ?? 0n;
    into.device[row] = from.device[sourceRow] ?? 0n;
    const at = sourceRow * SHA256_BYTES;
    into.sha256.set(from.sha256.subarray(at, at + SHA256_BYTES), row * SHA256_BYTES);
    into.outcome[row] = from.outcome[sourceRow] ?? 0;
    if (this.isHashed(row)) this.#header[5] = this.hashedRows + 1;
  }

  /** The rows that are about files of that inode. On which device is for `device` to tell, or for the file itself. */
  rowsOf(wanted: bigint): number[] {
    const { inode } = this.stats;
    const rows: number[] = [];
    for (let row = inode.indexOf(wanted); row >= 0; row = inode.indexOf(wanted, row + 1)) rows.push(row);
    return rows;
  }

  /** As it was when the row was hashed: mounts change theirs. */
  device(row: number): bigint | undefined {
    return this.stats.device[row];
  }

  #number(column: number, row: number): number {
    return this.stats.numbers[column * this.rows + row] ?? 0;
  }

  #setNumber(column: number, row: number, value: number): void {
    this.stats.numbers[column * this.rows + row] = value;
  }

  #bytes(from: number, length: number): Uint8Array<ArrayBuffer> {
    const start = HEADER_BYTES + this.rows * ROW_BYTES + from;
    return this.bytes.subarray(start, start + length);
  }
}

/** True for two readings of one time of a file, one of which may have come by way of a double of seconds. */
export function isSameTime(aMs: number, bMs: number): boolean {
  return Math.abs(aMs - bMs) < Math.max(SAME_TIME_MS, Math.abs(aMs) * DOUBLE_STEP);
}
