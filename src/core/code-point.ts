/**
 * Orders two strings by Unicode code point, as Python and UTF-8 bytes do. JavaScript's `<` compares UTF-16 units and
 * puts U+1F600 before U+FFFD; manifests and their checksums must not depend on the language that sorts them.
 */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return codePointRank(x) - codePointRank(y);
  }
  return a.length - b.length;
}

/** A UTF-16 unit moved so that surrogates (code points from U+10000 up) rank above U+E000–U+FFFF. */
function codePointRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit <= 0xdfff ? unit + 0x2000 : unit - 0x800;
}

/** Below U+D800 the order of UTF-16 units, in which strings sort many times faster, is that of code points. */
const BEYOND_UTF16_ORDER = /[\ud800-\uffff]/;

/** `strings` by code point. */
export function sortedByCodePoint(strings: readonly string[]): string[] {
  return BEYOND_UTF16_ORDER.test(strings.join("")) ? strings.toSorted(compareCodePoints) : strings.toSorted();
}
