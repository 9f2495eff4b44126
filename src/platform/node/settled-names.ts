interface Named {
  readonly name: string;
}

/** When a folder was changed last, in milliseconds since the epoch; a system may know one of the two only. */
export interface FolderTimes {
  readonly mtimeMs: number;
  readonly ctimeMs: number;
}

/** A folder as it can be read, again and again. */
export interface FolderReading<Entry extends Named> {
  /** What is in it. Throws when it cannot be read. */
  read(): readonly Entry[];
  /** undefined when that cannot be told. */
  times(): FolderTimes | undefined;
  /** What is at the name of an earlier reading's entry now; undefined when surely nothing is. */
  again(entry: Entry): Entry | undefined;
}

/** A folder that never rests is read so often: what one reading misses, the next ones seldom do. */
const READINGS_MAX = 6;
/** Left alone for so long before it was read, a folder has not changed since either, unless it says so. */
const REST_MS = 2_000;
/** A second change within a tick of the file system's clock leaves the times as the first one set them. */
const TICK_MS = 20;

/**
 * What is in a folder, every name among it that was there all the time. One reading of a folder that changes meanwhile
 * promises less: btrfs and tmpfs leave out a name that gets another file just then, as most programs save. So such a
 * folder is read again, and a name that a later reading lacks is looked up.
 */
export function settledNames<Entry extends Named>(
  folder: FolderReading<Entry>,
  nowMs: () => number = Date.now,
): readonly Entry[] {
  const startMs = nowMs();
  let entries = folder.read();
  let times = folder.times();
  if (times !== undefined && changedMs(times) < startMs - REST_MS) return entries;
  for (let readings = 1; readings < READINGS_MAX; readings++) {
    const before = times;
    entries = withMissing(folder.read(), entries, folder);
    times = folder.times();
    if (isSame(before, times) && Math.abs(nowMs() - changedMs(times)) > TICK_MS) break;
  }
  return entries;
}

function changedMs({ mtimeMs, ctimeMs }: FolderTimes): number {
  return Math.max(mtimeMs, ctimeMs);
}

function isSame(before: FolderTimes | undefined, after: FolderTimes | undefined): after is FolderTimes {
  return before !== undefined && after?.mtimeMs === before.mtimeMs && after.ctimeMs === before.ctimeMs;
}

function withMissing<Entry extends Named>(
  entries: readonly Entry[],
  earlier: readonly Entry[],
  folder: FolderReading<Entry>,
): readonly Entry[] {
  const names = new Set(entries.map(({ name }) => name));
  const found = earlier.filter(({ name }) => !names.has(name)).map((entry) => folder.again(entry));
  return [...entries, ...found.filter((entry) => entry !== undefined)];
}
