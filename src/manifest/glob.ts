import { ANY_CHARACTER, type CharacterSet, parseSet, setHolds } from "./glob-set.ts";

/**
 * What stands between two `*`: the same text, or one set a character. `text` is kept apart because the runtime's own
 * string search is an order of magnitude faster than a loop over sets.
 */
type Segment = { readonly text: string } | { readonly text: undefined; readonly sets: readonly CharacterSet[] };

const NO_MATCH = -1;

/**
 * A pattern of Python's `fnmatch.fnmatchcase`: `*` (crosses `/` and newlines), `?`, `[seq]`, `[!seq]`; everything else
 * is itself, backslash included. Characters are code points.
 *
 * Each segment between stars is taken at its leftmost place and never moved again, which for patterns of this kind
 * finds a match whenever there is one: the work is at most text length × pattern length, whatever the pattern. No
 * RegExp is built from a pattern.
 */
export class Glob {
  /** Character comparisons made so far, for the tests' bound. Searches for plain text count as one. */
  steps = 0;
  readonly #segments: readonly Segment[];
  /** Of a pattern like `*.tmp`, which most are. */
  readonly #ending: string | undefined;
  /** What every path that matches begins with. */
  readonly #head: string;
  /** What the name of every path that matches ends with, and NUL. */
  readonly #nameTail: string;

  constructor(pattern: string) {
    this.#segments = parse(pattern);
    const [before, after] = this.#segments;
    this.#ending = this.#segments.length === 2 && before?.text === "" ? after?.text : undefined;
    const tail = this.#segments.at(-1)?.text ?? "";
    this.#head = before?.text ?? "";
    this.#nameTail = `${tail.slice(tail.lastIndexOf("/") + 1)}\0`;
  }

  /** False when surely none of `names`, each followed by NUL, matches behind `prefix`: many names for little more than one. */
  mayMatchAny(prefix: string, names: string): boolean {
    return (prefix.startsWith(this.#head) || this.#head.startsWith(prefix)) && names.includes(this.#nameTail);
  }

  matches(text: string): boolean {
    if (this.#ending !== undefined) {
      this.steps++;
      return text.endsWith(this.#ending);
    }
    const segments = this.#segments;
    const last = segments.length - 1;
    const first = segments[0];
    const final = segments[last];
    if (first === undefined || final === undefined) return false;
    let at = this.#endOfMatchAt(first, text, 0);
    if (last === 0) return at === text.length;
    for (let k = 1; at !== NO_MATCH && k < last; k++) {
      const segment = segments[k];
      if (segment !== undefined) at = this.#endOfLeftmostMatch(segment, text, at);
    }
    if (at === NO_MATCH) return false;
    const start = startFromEnd(final, text);
    return start >= at && this.#endOfMatchAt(final, text, start) === text.length;
  }

  /** Where `segment` ends when it begins at `start`; NO_MATCH when it does not. */
  #endOfMatchAt(segment: Segment, text: string, start: number): number {
    if (segment.text !== undefined) {
      this.steps++;
      return text.startsWith(segment.text, start) ? start + segment.text.length : NO_MATCH;
    }
    let at = start;
    for (const set of segment.sets) {
      this.steps++;
      const codePoint = text.codePointAt(at);
      if (codePoint === undefined || !setHolds(set, codePoint)) return NO_MATCH;
      at += codePoint > 0xffff ? 2 : 1;
    }
    return at;
  }

  #endOfLeftmostMatch(segment: Segment, text: string, from: number): number {
    if (segment.text !== undefined) {
      this.steps++;
      const found = text.indexOf(segment.text, from);
      return found < 0 ? NO_MATCH : found + segment.text.length;
    }
    for (let start = from; start < text.length; start += widthAt(text, start)) {
      const end = this.#endOfMatchAt(segment, text, start);
      if (end !== NO_MATCH) return end;
    }
    return NO_MATCH;
  }
}

/** True for a pattern that holds one of `* ? [ ]`. Others also exclude what lies below them (exclude.ts). */
export function hasWildcard(pattern: string): boolean {
  return /[*?[\]]/.test(pattern);
}

function parse(pattern: string): Segment[] {
  const codePoints = Array.from(pattern, (character) => character.codePointAt(0) ?? 0);
  const segments: Segment[] = [];
  let run: (number | CharacterSet)[] = [];
  for (let i = 0; i < codePoints.length; i++) {
    const codePoint = codePoints[i] ?? 0;
    if (codePoint === STAR) {
      segments.push(toSegment(run));
      run = [];
    } else if (codePoint === QUESTION) {
      run.push(ANY_CHARACTER);
    } else if (codePoint === OPEN_BRACKET) {
      const close = closingBracket(codePoints, i);
      run.push(close < 0 ? codePoint : parseSet(codePoints.slice(i + 1, close)));
      if (close >= 0) i = close;
    } else {
      run.push(codePoint);
    }
  }
  segments.push(toSegment(run));
  // `**` is one star: an empty segment in the middle asks for nothing.
  return segments.filter((segment, k) => k === 0 || k === segments.length - 1 || segment.text !== "");
}

const STAR = 0x2a;
const QUESTION = 0x3f;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const EXCLAMATION = 0x21;

/** The `]` that ends the set opened at `open`; a `]` in first place is a member. -1: none, and `[` is itself. */
function closingBracket(codePoints: readonly number[], open: number): number {
  const first = codePoints[open + 1] === EXCLAMATION ? open + 2 : open + 1;
  return codePoints.indexOf(CLOSE_BRACKET, codePoints[first] === CLOSE_BRACKET ? first + 1 : first);
}

function toSegment(run: readonly (number | CharacterSet)[]): Segment {
  const literals = run.filter((item) => typeof item === "number");
  if (literals.length === run.length) return { text: literals.map((item) => String.fromCodePoint(item)).join("") };
  return {
    text: undefined,
    sets: run.map((item) => (typeof item === "number" ? { negated: false, ranges: [[item, item] as const] } : item)),
  };
}

/** Where `segment` must begin to end with `text`; negative when the text is too short. */
function startFromEnd(segment: Segment, text: string): number {
  if (segment.text !== undefined) return text.length - segment.text.length;
  let start = text.length;
  for (let left = segment.sets.length; left > 0; left--) {
    if (start <= 0) return NO_MATCH;
    start -= start >= 2 && widthAt(text, start - 2) === 2 ? 2 : 1;
  }
  return start;
}

/** UTF-16 units of the character at `index`. */
function widthAt(text: string, index: number): number {
  return (text.codePointAt(index) ?? 0) > 0xffff ? 2 : 1;
}
