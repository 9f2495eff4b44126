/** Stands in an expected value for all that `accepts` takes. */
export class Like {
  constructor(readonly accepts: (actual: unknown) => boolean) {}
}

/** Deep equality as `toEqual` has it: a property that is undefined counts as absent, prototypes do not count. */
export function equals(a: unknown, b: unknown): boolean {
  if (b instanceof Like) return b.accepts(a);
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (ArrayBuffer.isView(a) || ArrayBuffer.isView(b)) return isBytes(a) && isBytes(b) && sameItems([...a], [...b]);
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && Array.isArray(b) && sameItems(a, b);
  if (a instanceof Map || b instanceof Map) return a instanceof Map && b instanceof Map && sameItems([...a], [...b]);
  if (a instanceof Set || b instanceof Set) return a instanceof Set && b instanceof Set && sameItems([...a], [...b]);
  if (a instanceof Date || b instanceof Date)
    return a instanceof Date && b instanceof Date && Object.is(a.getTime(), b.getTime());
  if (a instanceof Error && b instanceof Error && a.message !== b.message) return false;
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => equals(property(a, name), property(b, name)));
}

/** `toMatchObject`: what `part` names is in `whole`, at every depth; lists have the same length. */
export function matchesObject(whole: unknown, part: unknown): boolean {
  if (part instanceof Like) return part.accepts(whole);
  if (typeof part !== "object" || part === null || typeof whole !== "object" || whole === null)
    return equals(whole, part);
  if (Array.isArray(part)) {
    return (
      Array.isArray(whole) &&
      whole.length === part.length &&
      part.every((each, index) => matchesObject(whole[index], each))
    );
  }
  if (part instanceof Map || part instanceof Set || ArrayBuffer.isView(part)) return equals(whole, part);
  return Object.keys(part).every((name) => matchesObject(property(whole, name), property(part, name)));
}

function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((each, index) => equals(each, b[index]));
}

function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array;
}

function property(of: object, name: string): unknown {
  return (of as Record<string, unknown>)[name];
}
