const NAME_KEPT_MAX = 100;
const HEX_LENGTH = 16;

/**
 * `.<name>.<16 hex>.tmp`: hidden, matched by the default exclude `*.tmp` and by the manifest's hard exclusions. Long
 * names are cut to fit 255 bytes.
 * @param hex at least 16 hex digits
 */
export function tempNameWith(name: string, hex: string): string {
  // A UTF-16 unit is at most three bytes.
  const kept = name.length * 3 <= NAME_KEPT_MAX ? name : cut(name);
  return `.${kept}.${hex.slice(0, HEX_LENGTH)}.tmp`;
}

function cut(name: string): string {
  const bytes = new TextEncoder().encode(name).subarray(0, NAME_KEPT_MAX);
  return new TextDecoder().decode(bytes).replaceAll("\uFFFD", "");
}
