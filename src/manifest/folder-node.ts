import { compareCodePoints } from "../core/code-point.ts";
import { type FolderPlace, prefixOf } from "./folder-lister.ts";
import type { RecordedRows } from "./recorded-entries.ts";

/** A folder and what is in it, as it becomes known. */
export class FolderNode {
  /** Of each part of the folder's files, in their order. */
  readonly rows: (readonly RecordedRows[])[] = [];
  readonly folders: FolderNode[] = [];

  constructor(
    readonly place: FolderPlace,
    /** What the index calls it; undefined when it has no place there. */
    readonly key: string | undefined,
  ) {}
}

/** The files of folders and of those in them, by code point of the path. Iterative: see walkTree. */
export function* inOrder(roots: readonly FolderNode[]): Generator<RecordedRows> {
  const open = roots.map((root) => new Frame(root)).toReversed();
  for (let frame = open.at(-1); frame !== undefined; frame = open.at(-1)) {
    yield* frame.rowsBeforeFolder();
    const folder = frame.nextFolder();
    if (folder === undefined) open.pop();
    else open.push(new Frame(folder));
  }
}

/** How far the files and folders of a folder have been given out. */
class Frame {
  readonly #rows: RecordedRows[];
  readonly #folders: readonly FolderNode[];
  #part = 0;
  #folder = 0;
  /** Of the part that is being given out: many folders may stand between its files. */
  #names: { readonly part: number; readonly names: readonly string[] } | undefined;

  constructor({ rows, folders }: FolderNode) {
    this.#rows = rows.length === 1 ? [...(rows[0] ?? [])] : rows.flat();
    this.#folders = folders;
  }

  /** The files that come before what is in the next folder, or all that are left. */
  *rowsBeforeFolder(): Generator<RecordedRows> {
    const folder = this.#folders[this.#folder];
    for (let rows = this.#rows[this.#part]; rows !== undefined; rows = this.#rows[++this.#part]) {
      const cut = folder === undefined ? rows.to : this.#firstBehind(rows, prefixOf(folder.place.path));
      if (cut > rows.from) yield { ...rows, to: cut };
      if (cut === rows.to) continue;
      this.#rows[this.#part] = { ...rows, from: cut };
      return;
    }
  }

  nextFolder(): FolderNode | undefined {
    return this.#folders[this.#folder++];
  }

  #firstBehind({ prefix, record, from, to }: RecordedRows, folderPrefix: string): number {
    if (this.#names?.part !== this.#part) this.#names = { part: this.#part, names: record.names() };
    const { names } = this.#names;
    let low = from;
    let high = to;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareCodePoints(prefix + (names[middle] ?? ""), folderPrefix) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
