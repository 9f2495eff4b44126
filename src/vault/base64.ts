export function encodeBase64(bytes: Uint8Array): string {
  let binary = "";
  // In slices: one call takes only so many arguments.
  for (let i = 0; i < bytes.length; i += 8192) binary += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(binary);
}

/**
 * The bytes of strict base64 (RFC 4648 §4): padded, standard alphabet, no white space, unused bits zero. undefined for
 * anything else, so that one sequence of bytes has exactly one spelling.
 */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    return undefined;
  }
  if (btoa(binary) !== text) return undefined;
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
