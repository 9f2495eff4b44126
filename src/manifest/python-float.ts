/**
 * `value` as Python prints a float: the shortest digits that read back as the same number, `.0` after whole ones,
 * an exponent of two digits or more below 1e-4 and from 1e16. Checksums of manifests depend on every character.
 * @param value finite
 */
export function pythonFloat(value: number): string {
  const magnitude = Math.abs(value);
  if (magnitude >= 1e-4 && magnitude < 1e16) return Number.isInteger(value) ? `${value}.0` : `${value}`;
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  // JavaScript writes "1e-5" where Python writes "1e-05".
  return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
}

const NS_PER_SECOND = 1_000_000_000n;

/**
 * Nanoseconds since the epoch as Python's `st_mtime`: whole seconds (towards the past) + 1e-9 × the rest, in doubles.
 * Any other way to the same number differs in the last digit for some files.
 */
export function pythonMtime(ns: bigint): number {
  let seconds = ns / NS_PER_SECOND;
  let rest = ns % NS_PER_SECOND;
  if (rest < 0n) {
    seconds -= 1n;
    rest += NS_PER_SECOND;
  }
  return Number(seconds) + 1e-9 * Number(rest);
}
