/** One character of a path, as a pattern may ask for it. Code points, both ends inclusive. */
export interface CharacterSet {
  readonly negated: boolean;
  readonly ranges: readonly (readonly [low: number, high: number])[];
}

export const ANY_CHARACTER: CharacterSet = { negated: true, ranges: [] };
const NO_CHARACTER: CharacterSet = { negated: false, ranges: [] };

const EXCLAMATION = 0x21;
const HYPHEN = 0x2d;

export function setHolds(set: CharacterSet, codePoint: number): boolean {
  for (const [low, high] of set.ranges) {
    if (codePoint >= low && codePoint <= high) return !set.negated;
  }
  return set.negated;
}

/**
 * What stands between `[` and `]`, as Python's `fnmatch.translate` (3.9 and later) reads it. Its corners are kept
 * because both programs must exclude the same files: a reversed range vanishes, also when that brings a `!` to the
 * front (`[b-a!x]` means "not x"); an empty set matches nothing and an empty negated one everything.
 * @param body code points, at least one
 */
export function parseSet(body: readonly number[]): CharacterSet {
  const chunks = withoutReversedRanges(rangeChunks(body));
  const first = chunks[0] ?? [];
  if (chunks.length === 1 && first.length === 0) return NO_CHARACTER;
  const negated = first[0] === EXCLAMATION;
  const items = negated ? [first.slice(1), ...chunks.slice(1)] : chunks;
  return { negated, ranges: toRanges(items) };
}

/** `body` cut at each hyphen that makes a range: `xa-cz` is `xa`, `cz`. Other hyphens stay inside their chunk. */
function rangeChunks(body: readonly number[]): number[][] {
  const chunks: number[][] = [];
  let start = 0;
  let search = body[0] === EXCLAMATION ? 2 : 1;
  for (;;) {
    const hyphen = body.indexOf(HYPHEN, search);
    if (hyphen < 0) break;
    chunks.push(body.slice(start, hyphen));
    start = hyphen + 1;
    search = hyphen + 3;
  }
  const last = chunks.at(-1);
  if (start < body.length || last === undefined) chunks.push(body.slice(start));
  else last.push(HYPHEN);
  return chunks;
}

function withoutReversedRanges(chunks: number[][]): number[][] {
  for (let k = chunks.length - 1; k > 0; k--) {
    const before = chunks[k - 1] ?? [];
    const after = chunks[k] ?? [];
    if ((before.at(-1) ?? 0) > (after[0] ?? 0)) chunks.splice(k - 1, 2, [...before.slice(0, -1), ...after.slice(1)]);
  }
  return chunks;
}

/** Single characters, and a range from the end of each chunk to the beginning of the next. */
function toRanges(chunks: readonly (readonly number[])[]): [number, number][] {
  const ranges: [number, number][] = [];
  for (const [k, chunk] of chunks.entries()) {
    for (const codePoint of chunk) ranges.push([codePoint, codePoint]);
    const low = chunk.at(-1);
    const high = chunks[k + 1]?.[0];
    if (high === undefined) continue;
    // The range's low end was the `!` of a negation: its hyphen stands for itself.
    ranges.push(low === undefined ? [HYPHEN, HYPHEN] : [low, high]);
  }
  return ranges;
}
