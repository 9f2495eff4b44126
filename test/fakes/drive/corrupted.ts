/** The same bytes but for one in the middle. */
export function corrupted(bytes: Uint8Array): Buffer {
  const copy = Buffer.from(bytes);
  const at = Math.floor(copy.length / 2);
  const byte = copy[at];
  if (byte !== undefined) copy[at] = byte ^ 0x20;
  return copy;
}
