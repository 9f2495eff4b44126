import { HashRecord } from "./hash-record.ts";

/** A row of a record. */
export interface KnownRow {
  readonly record: HashRecord;
  readonly row: number;
}

/** Finds files by name in records. Asked in the records' own order, as a scan does, it compares one name a file. */
export class KnownRows {
  readonly #records: readonly HashRecord[];
  readonly #names: readonly (readonly string[])[];
  #byName: Map<string, KnownRow> | undefined;
  #at = 0;
  #row = 0;

  constructor(known: readonly Uint8Array<ArrayBuffer>[]) {
    this.#records = known.map((bytes) => new HashRecord(bytes));
    this.#names = this.#records.map((record) => record.names());
  }

  find(name: string): KnownRow | undefined {
    const record = this.#records[this.#at];
    if (record === undefined || this.#names[this.#at]?.[this.#row] !== name) return this.#findAnywhere(name);
    const found = { record, row: this.#row };
    this.#advance();
    return found;
  }

  #advance(): void {
    this.#row++;
    if (this.#row < (this.#records[this.#at]?.rows ?? 0)) return;
    this.#at++;
    this.#row = 0;
  }

  /** A name that is not the next one: files came or went. */
  #findAnywhere(name: string): KnownRow | undefined {
    if (this.#byName === undefined) {
      this.#byName = new Map();
      for (const [k, record] of this.#records.entries()) {
        for (const [row, each] of this.#names[k]?.entries() ?? []) this.#byName.set(each, { record, row });
      }
    }
    const found = this.#byName.get(name);
    if (found !== undefined) {
      this.#at = this.#records.indexOf(found.record);
      this.#row = found.row;
      this.#advance();
    }
    return found;
  }
}
