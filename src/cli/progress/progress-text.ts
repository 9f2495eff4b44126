import { formatBytes, formatDuration, formatNumber, widthOf } from "../format.ts";
import { type Progress, shareDone } from "./progress.ts";

/** Rates of the last seconds; undefined before they can be told. */
export interface Rates {
  readonly bytesPerS: number | undefined;
  readonly filesPerS: number | undefined;
}

/** What a bar is drawn with. */
export interface Glyphs {
  readonly full: string;
  readonly empty: string;
}

export const BLOCKS: Glyphs = { full: "█", empty: "░" };
export const ASCII: Glyphs = { full: "#", empty: "-" };

const BAR_COLUMNS_MAX = 24;
const BAR_COLUMNS_MIN = 6;
/** Longer than this nobody plans by. */
const ETA_S_MAX = 99 * 3600;

/**
 * One line of at most `columns`:
 * `upload  ████████░░░░  45 %  1.2 of 2.7 GiB  34.1 MiB/s  0:42 left  123 of 345 files`. What does not fit is left out,
 * from the right.
 */
export function barText(progress: Progress, rates: Rates, columns: number, glyphs: Glyphs): string {
  const share = shareDone(progress);
  const parts = remarks(progress, rates);
  const left = () => columns - widthOf([progress.phase, ...parts].join("  ")) - 2;
  while (parts.length > 1 && left() < (share === undefined ? 0 : BAR_COLUMNS_MIN)) parts.pop();
  const barColumns = Math.min(BAR_COLUMNS_MAX, left());
  const bar = share === undefined || barColumns < BAR_COLUMNS_MIN ? [] : [drawBar(share, barColumns, glyphs)];
  return [progress.phase, ...bar, ...parts].join("  ").slice(0, columns);
}

/** The same for a log: `upload: 45 %, 1.2 of 2.7 GiB, 34.1 MiB/s, 0:42 left, 123 of 345 files`. */
export function lineText(progress: Progress, rates: Rates): string {
  return `${progress.phase}: ${remarks(progress, rates)
    .map((part) => part.trim())
    .join(", ")}`;
}

function drawBar(share: number, columns: number, { full, empty }: Glyphs): string {
  const filled = Math.floor(share * columns);
  return full.repeat(filled) + empty.repeat(columns - filled);
}

/** The most important first. */
function remarks(progress: Progress, rates: Rates): string[] {
  const { filesDone, filesTotal, bytesDone, bytesTotal } = progress;
  const share = shareDone(progress);
  const files = `${formatNumber(filesDone)} of ${formatNumber(filesTotal)} files`;
  const bytes = bytesTotal === undefined ? formatBytes(bytesDone) : amountOf(bytesDone, bytesTotal);
  const rate = rates.bytesPerS === undefined ? [] : [`${formatBytes(rates.bytesPerS)}/s`];
  const eta = secondsLeft(progress, rates);
  return [
    ...(share === undefined ? [] : [`${Math.floor(share * 100)} %`.padStart(5)]),
    ...(bytesTotal === undefined ? [files] : [bytes]),
    ...rate,
    ...(eta === undefined ? [] : [`${formatDuration(eta)} left`]),
    ...(bytesTotal === undefined ? [bytes] : [files]),
  ];
}

/** `1.2 of 2.7 GiB`, or with both units where they differ. */
function amountOf(done: number, total: number): string {
  const [value, unit] = formatBytes(done).split(" ");
  const whole = formatBytes(total);
  return whole.endsWith(` ${unit}`) ? `${value} of ${whole}` : `${value} ${unit} of ${whole}`;
}

function secondsLeft({ filesDone, filesTotal, bytesDone, bytesTotal }: Progress, rates: Rates): number | undefined {
  const [left, rate] =
    bytesTotal === undefined || bytesTotal === 0
      ? [filesTotal - filesDone, rates.filesPerS]
      : [bytesTotal - bytesDone, rates.bytesPerS];
  if (left <= 0 || rate === undefined || rate <= 0 || left / rate > ETA_S_MAX) return undefined;
  return Math.ceil(left / rate);
}
