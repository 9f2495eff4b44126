import { METADATA_FOLDER } from "./zip-format.ts";

/** Device names of Windows, alone or before a dot; the superscript digits count as digits there. */
const WINDOWS_DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])(?:[ .]|$)/i;
const FORBIDDEN_CHARACTER = /[\u0000-\u001f\u007f-\u009f"*:<>?\\|]/;
const SEGMENT_BYTES_MAX = 255;
const PATH_BYTES_MAX = 4_096;

/**
 * Why a path does not go into an archive, and is not taken out of one, or undefined. It must mean the same file on every
 * system: what is harmless here may be a device, a stream of another file or a folder above on the machine that
 * restores.
 * @param path without the `/` that ends a folder's name
 */
export function archivePathFault(path: string): string | undefined {
  if (path === "") return "is empty";
  if (!path.isWellFormed()) return "is not valid Unicode";
  if (path.includes("\0")) return "holds a NUL character";
  if (path.includes("\\")) return "holds a backslash";
  if (path.startsWith("/")) return "is absolute";
  if (/^[A-Za-z]:/.test(path)) return "starts with a drive letter";
  if (utf8Length(path) > PATH_BYTES_MAX) return `is longer than ${PATH_BYTES_MAX} bytes`;
  for (const segment of path.split("/")) {
    const fault = segmentFault(segment);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function segmentFault(segment: string): string | undefined {
  if (segment === "") return "holds an empty folder name";
  if (segment === ".." || segment === ".") return `holds '${segment}'`;
  if (FORBIDDEN_CHARACTER.test(segment)) return 'holds a control character or one of " * : < > ? |';
  if (segment.endsWith(".") || segment.endsWith(" ")) return "holds a name that ends in a dot or a space";
  if (WINDOWS_DEVICE.test(segment)) return "holds a device name of Windows";
  if (utf8Length(segment) > SEGMENT_BYTES_MAX) return `holds a name longer than ${SEGMENT_BYTES_MAX} bytes`;
  return undefined;
}

/** True for what an archive keeps about itself. */
export function isMetadataPath(path: string): boolean {
  return path === METADATA_FOLDER || path.startsWith(`${METADATA_FOLDER}/`);
}

/** Finds paths that are one and the same on file systems which ignore case or normalise Unicode, or that need a file to be a folder. */
export class PathCollisions {
  readonly #files = new Map<string, string>();
  readonly #folders = new Map<string, string>();
  /** Known to be good: most paths are in the folder of the one before. */
  #lastFolder = "";

  /** What is wrong with adding this path to those added before, or undefined; then it is added. */
  fault(path: string, isFolder: boolean): string | undefined {
    const key = foldedPath(path);
    const slash = path.lastIndexOf("/");
    if (slash > 0 && path.slice(0, slash) !== this.#lastFolder) {
      const fault = this.#folderFault(path.slice(0, slash), key.slice(0, key.lastIndexOf("/")));
      if (fault !== undefined) return fault;
      this.#lastFolder = path.slice(0, slash);
    }
    return isFolder ? this.#folderFault(path, key) : this.#fileFault(path, key);
  }

  #fileFault(path: string, key: string): string | undefined {
    if (this.#folders.has(key)) return "is a file where another entry needs a folder";
    const same = this.#files.get(key);
    if (same === path) return "is there twice";
    if (same !== undefined) return "differs from another only in case or normalisation";
    this.#files.set(key, path);
    return undefined;
  }

  /** Checks and adds a folder and those above it. */
  #folderFault(folder: string, folderKey: string): string | undefined {
    const keys = folderKey.split("/");
    const names = folder.split("/");
    for (let length = 1; length <= names.length; length++) {
      const key = keys.slice(0, length).join("/");
      const path = names.slice(0, length).join("/");
      if (this.#files.has(key)) return "needs a folder where another entry is a file";
      const known = this.#folders.get(key);
      if (known !== undefined && known !== path) {
        return "names a folder that differs from another only in case or normalisation";
      }
      this.#folders.set(key, path);
    }
    return undefined;
  }
}

const ASCII_ONLY = /^[\0-\x7f]*$/;

/** Equal for names that some file system takes for one. Upper case first: `ſ` and `K` (Kelvin) fold only that way. */
function foldedPath(path: string): string {
  if (ASCII_ONLY.test(path)) return path.toLowerCase();
  return path.normalize("NFC").toUpperCase().toLowerCase().normalize("NFC");
}

function utf8Length(text: string): number {
  // A UTF-16 unit is at most three bytes: only long texts are worth encoding.
  return text.length * 3 <= SEGMENT_BYTES_MAX ? text.length : new TextEncoder().encode(text).byteLength;
}
