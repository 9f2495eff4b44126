const NAME_KEPT_MAX = 100;
const HEX_LENGTH = 16;

/**
 * `.<name>.<16 hex>.tmp`: hidden, matched by the default exclude `*.tmp` and by the manifest's hard exclusions. Long
 * names are cut to fit 255 bytes.
 * @param hex at least 16 hex digits
 */
export function tempNameWith(name: string, hex: string): string {
  const kept = new TextDecoder()
    .decode(new TextEncoder().encode(name).subarray(0, NAME_KEPT_MAX))
    .replaceAll("\uFFFD", "");
  return `.${kept}.${hex.slice(0, HEX_LENGTH)}.tmp`;
}
