/** The one name at a destination's root that is the product's own: marker, probe and locks lie below it. */
export const OWN_FOLDER = ".comfyvn-sync";

/** What `createAtomic` calls a file that is not whole yet (platform/contract.ts): never listed, and no key ends so. */
const TEMP_NAME = /^\..*\.[0-9a-f]{16}\.tmp$/s;

const SEGMENT_BYTES_MAX = 255;
/** PATH_MAX of Linux without its NUL, less the longest temp name and a separator. */
const PATH_BYTES_MAX = 4_095 - 124;

const WINDOWS_DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\.|$)/i;
const WINDOWS_REFUSED = /[<>:"|?*\\\u0001-\u001f]|[. ]$/;

export interface KeyRules {
  /** Bytes of the destination's own path. */
  readonly rootBytes: number;
  /** Whether Windows' rules for names hold. */
  readonly windows: boolean;
}

/** Why no file of a destination can have `key` as its path, or undefined when one can. */
export function localKeyFault(key: string, { rootBytes, windows }: KeyRules): string | undefined {
  if (key === "") return "is empty";
  if (!key.isWellFormed()) return "is not valid Unicode";
  if (key.includes("\0")) return "holds a NUL character";
  const segments = key.split("/");
  for (const segment of segments) {
    const fault = segmentFault(segment, windows);
    if (fault !== undefined) return fault;
  }
  if (segments[0]?.toLowerCase() === OWN_FOLDER) return `begins with ${OWN_FOLDER}, the product's own folder`;
  if (isTempName(segments.at(-1) ?? "")) return "ends like the name of a temporary file";
  if (rootBytes + 1 + utf8Bytes(key) > PATH_BYTES_MAX) return "is too long for a path below this folder";
  return undefined;
}

/** True for the name of a file that somebody is writing, or was when he died. */
export function isTempName(name: string): boolean {
  return TEMP_NAME.test(name);
}

function segmentFault(segment: string, windows: boolean): string | undefined {
  if (segment === "") return "begins or ends with a slash or holds two in a row";
  if (segment === "." || segment === "..") return "holds '.' or '..' as a folder";
  if (utf8Bytes(segment) > SEGMENT_BYTES_MAX) return `holds a name longer than ${SEGMENT_BYTES_MAX} bytes`;
  if (!windows) return undefined;
  if (WINDOWS_DEVICE.test(segment)) return "holds a device name of Windows";
  return WINDOWS_REFUSED.test(segment) ? "holds a name that Windows does not allow" : undefined;
}

export function utf8Bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}
