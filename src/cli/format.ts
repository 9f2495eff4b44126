import stringWidth from "fast-string-width";

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** `3.4 MiB`: one decimal below a hundred, none for bytes. */
export function formatBytes(bytes: number): string {
  let value = Math.max(0, bytes);
  let unit = 0;
  // 1023.95 would be shown as 1024.0.
  while (value >= 1023.95 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** `1 file`, `12,345 files`. */
export function formatCount(count: number, noun: string): string {
  return `${formatNumber(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** `12,345` */
export function formatNumber(value: number): string {
  return value.toString().replace(/\B(?=(\d{3})+$)/g, ",");
}

/**
 * `text` without what a terminal would obey: a file's name may hold escape sequences, or characters that turn the
 * writing direction around and make one name look like another.
 */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u001F\u007F-\u009F\u200E\u200F\u2028-\u202E\u2066-\u2069]/g, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16)}`;
  });
}

/** Columns that `text` takes on a terminal: a character of Chinese or Japanese takes two. */
export function widthOf(text: string): number {
  return stringWidth(text);
}

/** `text` in at most `columns`, its middle left out when it is wider: the end of a path tells more than its middle. */
export function shorten(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  const characters = Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
  const head: string[] = [];
  const tail: string[] = [];
  let left = columns - 1;
  while (left > 0 && characters.length > 0) {
    const fromEnd = widthOf(tail.join("")) <= widthOf(head.join(""));
    const next = (fromEnd ? characters.pop() : characters.shift()) ?? "";
    left -= widthOf(next);
    if (left < 0) break;
    if (fromEnd) tail.unshift(next);
    else head.push(next);
  }
  return `${head.join("")}…${tail.join("")}`;
}

/** Pads to `columns`, at the right or, for numbers, at the left. */
export function pad(text: string, columns: number, side: "start" | "end" = "end"): string {
  const spaces = " ".repeat(Math.max(0, columns - widthOf(text)));
  return side === "end" ? text + spaces : spaces + text;
}

/** Lines of columns, each column as wide as its widest cell; the last one is not padded. */
export function formatTable(rows: readonly (readonly string[])[], indent = ""): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, widthOf(cell));
  }
  return rows
    .map(
      (row) =>
        indent +
        row.map((cell, column) => (column === row.length - 1 ? cell : pad(cell, widths[column] ?? 0))).join("  "),
    )
    .join("\n");
}

/** `0:42`, `12:05`, `3:00:09`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const twoDigits = (value: number) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const end = twoDigits(whole % 60);
  return hours === 0 ? `${minutes}:${end}` : `${hours}:${twoDigits(minutes)}:${end}`;
}
