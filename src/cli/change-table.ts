import type { DryRunResult } from "../app.ts";
import { formatBytes, formatCount, formatNumber, pad, printable, shorten, widthOf } from "./format.ts";
import type { Style } from "./style.ts";

type Change = DryRunResult["plan"]["uploads"][number];

/** Where a result is shown. */
export interface Screen {
  readonly style: Style;
  /** undefined where lines have no end: a pipe or a file gets whole names. */
  readonly columns: number | undefined;
}

/** Lines of one table below its head; --json has everything. */
const ROWS_MAX = 24;
const NAME_COLUMNS_MIN = 20;

interface Row {
  readonly kind: "folder" | "file" | "more";
  readonly name: string;
  readonly files: string;
  readonly size: string;
}

/**
 * Changes by folder: each folder with its count and size, below it as many of its files as there is room for. What is
 * left out is counted.
 */
export function changeTable(heading: string, changes: readonly Change[], screen: Screen): string[] {
  if (changes.length === 0) return [];
  const folders = [...Map.groupBy(changes, ({ path }) => folderOf(path))];
  return drawTable(heading, folders.length > ROWS_MAX ? folderRows(folders) : fileRows(folders), screen);
}

type Folder = readonly [path: string, changes: readonly Change[]];

function folderRows(folders: readonly Folder[]): Row[] {
  const left = folders.slice(ROWS_MAX - 1);
  const changes = left.flatMap(([, members]) => members);
  return [
    ...folders.slice(0, ROWS_MAX - 1).map(folderRow),
    summaryRow("more", `… and ${formatCount(left.length, "more folder")}`, changes),
  ];
}

/** Each folder gets the same share of the lines; what one does not need goes to the next ones. */
function fileRows(folders: readonly Folder[]): Row[] {
  const rows: Row[] = [];
  for (const [index, folder] of folders.entries()) {
    const share = Math.floor((ROWS_MAX - rows.length) / (folders.length - index));
    const [, changes] = folder;
    rows.push(folderRow(folder));
    const shown = changes.length < share ? changes.length : Math.max(0, share - 2);
    rows.push(...changes.slice(0, shown).map(fileRow));
    const left = changes.slice(shown);
    if (left.length > 0 && shown > 0)
      rows.push(summaryRow("more", `  … and ${formatCount(left.length, "more file")}`, left));
  }
  return rows;
}

function folderRow([path, changes]: Folder): Row {
  return summaryRow("folder", printable(path), changes);
}

function fileRow({ path, size, source }: Change): Row {
  const name = `  ${printable(path.slice(path.lastIndexOf("/") + 1))}`;
  if (source !== undefined) return { kind: "file", name: `${name} ← ${printable(source)}`, files: "", size: "copy" };
  return { kind: "file", name, files: "", size: size === undefined ? "" : formatBytes(size) };
}

function summaryRow(kind: Row["kind"], name: string, changes: readonly Change[]): Row {
  const sent = changes.filter(({ source }) => source === undefined);
  const bytes = sent.reduce((sum, { size }) => sum + (size ?? 0), 0);
  const isSized = sent.some(({ size }) => size !== undefined);
  return { kind, name, files: formatNumber(changes.length), size: isSized ? formatBytes(bytes) : "" };
}

function drawTable(heading: string, rows: readonly Row[], { style, columns }: Screen): string[] {
  const head: Row = { kind: "folder", name: heading, files: "files", size: "size" };
  const all = [head, ...rows];
  const widest = (cell: "name" | "files" | "size") => Math.max(...all.map((row) => widthOf(row[cell])));
  const [files, size] = [widest("files"), widest("size")];
  const room = columns === undefined ? Infinity : columns - files - size - 4;
  const name = Math.min(widest("name"), Math.max(NAME_COLUMNS_MIN, room));
  const line = (row: Row) =>
    `${pad(shorten(row.name, name), name)}  ${pad(row.files, files, "start")}  ${pad(row.size, size, "start")}`.trimEnd();
  const [first = "", ...lines] = all.map(line);
  return ["", style.bold(first), ...lines.map((text, index) => styled(text, rows[index]?.kind, style))];
}

function styled(text: string, kind: Row["kind"] | undefined, style: Style): string {
  if (kind === "folder") return style.name(text);
  return kind === "more" ? style.dim(text) : text;
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "./" : path.slice(0, slash + 1);
}
