import { compareCodePoints } from "../core/code-point.ts";
import type { RelativePath } from "../core/paths.ts";
import type { ManifestEntry } from "./manifest.ts";

/** What is known of some files of one folder, a row for each, by code point of their names and each once. */
export interface FolderRecord {
  /** By row. */
  names(): string[];
  name(row: number): string;
  /** Of all rows, for `entry`. */
  hashes(): string;
  entry(row: number, path: RelativePath, hashes?: string): ManifestEntry;
}

/** Rows of a record that follow one another, all of them hashed. */
export interface RecordedRows {
  /** What the paths of the files begin with: "" or a folder's path and `/`. */
  readonly prefix: string;
  readonly record: FolderRecord;
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

/**
 * The entries of a scan, kept as the records that they were hashed into: an object and three strings for each of a
 * million files, which most uses look at once, would cost more than finding out that nothing has changed. An entry is
 * made anew each time it is asked for.
 */
export class RecordedEntries implements ReadonlyMap<RelativePath, ManifestEntry> {
  readonly size: number;
  readonly #runs: readonly RecordedRows[];
  #byPrefix: Map<string, RecordedRows[]> | undefined;
  /** Of the run that was last searched: who asks for one file asks for its neighbours. */
  #searched: { readonly run: RecordedRows; readonly names: readonly string[] } | undefined;

  /** @param runs whose order a RowOrder has found right */
  constructor(runs: readonly RecordedRows[]) {
    this.#runs = runs;
    this.size = runs.reduce((sum, { from, to }) => sum + to - from, 0);
  }

  get(path: RelativePath): ManifestEntry | undefined {
    const cut = path.lastIndexOf("/") + 1;
    for (const run of this.#runsAt(path.slice(0, cut))) {
      const row = this.#rowOf(run, path.slice(cut));
      if (row !== undefined) return run.record.entry(row, path);
    }
    return undefined;
  }

  has(path: RelativePath): boolean {
    return this.get(path) !== undefined;
  }

  *keys(): Generator<RelativePath, undefined> {
    for (const { prefix, record, from, to } of this.#runs) {
      const names = record.names();
      for (let row = from; row < to; row++) yield prefix + (names[row] ?? "");
    }
  }

  *values(): Generator<ManifestEntry, undefined> {
    for (const run of this.#runs) yield* entriesOf(run);
  }

  *entries(): Generator<[RelativePath, ManifestEntry], undefined> {
    for (const entry of this.values()) yield [entry.path, entry];
  }

  [Symbol.iterator](): Generator<[RelativePath, ManifestEntry], undefined> {
    return this.entries();
  }

  forEach(
    callback: (entry: ManifestEntry, path: RelativePath, map: ReadonlyMap<RelativePath, ManifestEntry>) => void,
    thisArgument?: unknown,
  ): void {
    for (const entry of this.values()) callback.call(thisArgument, entry, entry.path, this);
  }

  #runsAt(prefix: string): readonly RecordedRows[] {
    if (this.#byPrefix === undefined) {
      this.#byPrefix = new Map();
      for (const run of this.#runs) {
        const there = this.#byPrefix.get(run.prefix);
        if (there === undefined) this.#byPrefix.set(run.prefix, [run]);
        else there.push(run);
      }
    }
    return this.#byPrefix.get(prefix) ?? [];
  }

  #rowOf(run: RecordedRows, name: string): number | undefined {
    if (this.#searched?.run !== run) this.#searched = { run, names: run.record.names() };
    const { names } = this.#searched;
    let low = run.from;
    let high = run.to - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const order = compareCodePoints(names[middle] ?? "", name);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }
}

/**
 * Tells of rows that are given one after another whether they are by code point of the path, each path once. Those of
 * one record are: so a folder is listed.
 */
export class RowOrder {
  #last: RecordedRows | undefined;
  #isRight = true;

  get isRight(): boolean {
    return this.#isRight;
  }

  add(rows: RecordedRows): void {
    if (!this.#isRight || rows.from === rows.to) return;
    this.#isRight = this.#last === undefined || isBefore(this.#last, rows);
    this.#last = rows;
  }
}

/** True when all of `a` is before all of `b`. */
function isBefore(a: RecordedRows, b: RecordedRows): boolean {
  // Of most folders the names of their files need not be looked at.
  if (!a.prefix.startsWith(b.prefix) && !b.prefix.startsWith(a.prefix))
    return compareCodePoints(a.prefix, b.prefix) < 0;
  return compareCodePoints(a.prefix + a.record.name(a.to - 1), b.prefix + b.record.name(b.from)) < 0;
}

/** The entries of rows, in their order. */
export function* entriesOf({ prefix, record, from, to }: RecordedRows): Generator<ManifestEntry, undefined> {
  const names = record.names();
  const hashes = record.hashes();
  for (let row = from; row < to; row++) yield record.entry(row, prefix + (names[row] ?? ""), hashes);
}
