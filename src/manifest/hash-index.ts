import { compareCodePoints } from "../core/code-point.ts";
import { HashRecord } from "./hash-record.ts";
import type { PathRule } from "./inherited.ts";

/** What a scan needs of the hash index: records by folder, read from and written to a HashStore. */
export interface HashStore {
  /** Everything kept, one record after another in each blob; of a folder's records the last ones count. */
  load(): Iterable<Uint8Array<ArrayBuffer>>;
  /** Keeps `changed` besides what is kept already, or instead of it when `all` are the only ones that still count. */
  save(changed: readonly HashRecord[], all: () => Iterable<HashRecord>, allBytes: number): void;
  close(): void;
}

/**
 * Opens the index for one scan; undefined when it cannot be used now.
 * @param onLarge called before one is read that knows thousands of files
 */
export type OpenHashIndex = (onLarge?: () => void) => Promise<HashIndex | undefined>;

/** Changes worth that much time to do again are kept at once, so that a process killed in a long scan loses little. */
const SAVE_EVERY_MS = 5_000;
/** So much is kept while other threads still hash, rather than after them. */
const SAVE_BYTES = 1_048_576;

/** What earlier scans found out. Only hints: every use of a row proves it against the file's present stat. */
export class HashIndex {
  readonly #store: HashStore;
  /** Native path of the workspace with its last separator. */
  readonly #root: string;
  readonly #folders = new Map<string, readonly HashRecord[]>();
  readonly #changed = new Map<string, readonly HashRecord[]>();
  /** First and last name of a record. */
  readonly #ranges = new WeakMap<HashRecord, readonly [string, string]>();
  #bytes = 0;
  #changedBytes = 0;
  #saveAt = performance.now() + SAVE_EVERY_MS;

  constructor(store: HashStore, root: string) {
    this.#store = store;
    this.#root = root;
    for (const blob of store.load()) for (const record of HashRecord.each(blob)) this.#add(record);
  }

  /** What the index calls a native folder; undefined outside the workspace. */
  keyOf(folder: string): string | undefined {
    return folder.startsWith(this.#root) ? folder.slice(this.#root.length) : undefined;
  }

  /** The records of a folder, or those of them that may know some of `names`, which are in the order of a scan. */
  known(key: string, names?: readonly string[]): readonly HashRecord[] {
    const records = this.#folders.get(key) ?? [];
    if (names === undefined || records.length <= 1) return records;
    const first = names[0] ?? "";
    const last = names.at(-1) ?? "";
    return records.filter((record) => {
      const [low, high] = this.#rangeOf(record);
      return compareCodePoints(low, last) <= 0 && compareCodePoints(first, high) <= 0;
    });
  }

  /**
   * Takes what a scan found out about a folder.
   * @param records of all files of the folder that the scan was about
   * @param hits rows of these that came from the index unchanged
   * @param holds which files the scan was about; of others the index keeps what it knows
   */
  update(key: string, records: readonly HashRecord[], hits: number, holds: PathRule = () => false): void {
    const before = this.#folders.get(key) ?? [];
    const fresh = hashedRows(records) - hits;
    const unconfirmed = hashedRows(before) - hits;
    if (fresh === 0 && unconfirmed === 0) return;
    const kept = unconfirmed === 0 ? [] : unasked(key, before, records, holds);
    if (fresh === 0 && hashedRows(kept) === unconfirmed) return;
    // Several threads bring them in any order.
    this.#put(key, [...records.toSorted((a, b) => a.part - b.part), ...kept]);
  }

  /** Takes what is hashed already of files of a folder; the rest of what is known of it stays. */
  addPartly(key: string, records: readonly HashRecord[]): void {
    if (hashedRows(records) === 0) return;
    const before = this.#folders.get(key) ?? [];
    this.#put(key, [...records, ...unasked(key, before, records, () => false)]);
  }

  isSaveDue(): boolean {
    return performance.now() >= this.#saveAt;
  }

  /** Drops the files for which `holds` is true from all folders for which `isGone` is. */
  forgetFolders(isGone: (key: string) => boolean, holds: PathRule): void {
    for (const [key, records] of [...this.#folders]) {
      // Asked of the folder first: most are simply not what this scan was about.
      if (!isGone(key) || (key !== "" && !holds(key.slice(0, -1)))) continue;
      const kept = unasked(key, records, [], holds);
      if (hashedRows(kept) < hashedRows(records)) this.#put(key, kept);
    }
  }

  /** Drops files, by their native real paths. */
  forgetFiles(files: readonly string[]): void {
    const gone = new Set(files.map((native) => this.keyOf(native)).filter((path) => path !== undefined));
    const keys = new Set([...gone].map((path) => path.slice(0, path.lastIndexOf("/") + 1)));
    for (const key of keys) {
      const records = this.#folders.get(key) ?? [];
      const kept = unasked(key, records, [], (path) => gone.has(path));
      if (hashedRows(kept) < hashedRows(records)) this.#put(key, kept);
    }
  }

  /** Writes what is new once there is much of it. */
  saveMuch(): void {
    if (this.#changedBytes >= SAVE_BYTES) this.#write();
  }

  /** Writes what is new. */
  save(): void {
    this.#saveAt = performance.now() + SAVE_EVERY_MS;
    this.#write();
  }

  close(): void {
    try {
      this.save();
    } finally {
      this.#store.close();
    }
  }

  #write(): void {
    if (this.#changed.size === 0) return;
    const live = function* (folders: Iterable<readonly HashRecord[]>) {
      for (const records of folders) yield* records;
    };
    this.#store.save([...live(this.#changed.values())], () => live(this.#folders.values()), this.#bytes);
    this.#changed.clear();
    this.#changedBytes = 0;
  }

  #add(record: HashRecord): void {
    const key = record.folder();
    const before = record.part === 0 ? [] : (this.#folders.get(key) ?? []);
    this.#set(key, record.rows === 0 ? before : [...before, record]);
  }

  /** Of a folder without records an empty one is kept, so that it counts over what was kept before. */
  #put(key: string, records: readonly HashRecord[]): void {
    this.#set(key, records);
    this.#changed.set(key, records.length > 0 ? records : [HashRecord.create(key, "", 0, 0)]);
    this.#changedBytes += byteCount(records);
  }

  #set(key: string, records: readonly HashRecord[]): void {
    this.#bytes += byteCount(records) - byteCount(this.#folders.get(key) ?? []);
    this.#folders.set(key, records);
  }

  #rangeOf(record: HashRecord): readonly [string, string] {
    let range = this.#ranges.get(record);
    if (range === undefined) {
      const names = record.names();
      range = [names[0] ?? "", names.at(-1) ?? ""];
      this.#ranges.set(record, range);
    }
    return range;
  }
}

function hashedRows(records: readonly HashRecord[]): number {
  return records.reduce((sum, record) => sum + record.hashedRows, 0);
}

function byteCount(records: readonly HashRecord[]): number {
  return records.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
}

/** What `before` knows of files that have no hash in `records` and are not held by the scan: nobody looked at them. */
function unasked(
  key: string,
  before: readonly HashRecord[],
  records: readonly HashRecord[],
  holds: PathRule,
): HashRecord[] {
  const asked = new Set(records.flatMap((record) => record.names().filter((_, row) => record.isHashed(row))));
  const rows = before.flatMap((record) =>
    record.names().map((name, row) => {
      return { name, record, row };
    }),
  );
  const kept = rows
    .filter(({ name, record, row }) => record.isHashed(row) && !asked.has(name) && !holds(key + name))
    .toSorted((a, b) => compareCodePoints(a.name, b.name));
  if (kept.length === 0) return [];
  const names = kept.map(({ name }) => name).join("\0");
  const result = HashRecord.create(key, names, kept.length, records.length);
  for (const [row, from] of kept.entries()) result.copyRow(row, from.record, from.row);
  return [result];
}
