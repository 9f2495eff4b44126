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

/** Folders that are kept in mind at most; a restored workspace has no more. Up to 250 MB of memory. */
const FOLDERS_MAX = 500_000;

/** What an archive has in one folder, by folded name: names of files as they are spelt, and folders. */
class Folder {
  #files: Map<string, string> | undefined;
  #folders: Map<string, Folder> | undefined;

  /** @param name as it is spelt */
  constructor(readonly name: string) {}

  file(folded: string): string | undefined {
    return this.#files?.get(folded);
  }

  folder(folded: string): Folder | undefined {
    return this.#folders?.get(folded);
  }

  addFile(folded: string, name: string): void {
    this.#files ??= new Map();
    this.#files.set(folded, name);
  }

  addFolder(folded: string, folder: Folder): void {
    this.#folders ??= new Map();
    this.#folders.set(folded, folder);
  }
}

/** Finds paths that are one and the same on file systems which ignore case or normalise Unicode, or that need a file to be a folder. */
export class PathCollisions {
  readonly #root = new Folder("");
  #folders = 0;
  /** Known to be good: most paths are in the folder of the one before. */
  #last = { path: "", folder: this.#root };

  constructor(private readonly foldersMax = FOLDERS_MAX) {}

  /** True when some paths could not be added, because there are too many folders. */
  isFull = false;

  /** What is wrong with adding this path to those added before, or undefined; then it is added. */
  fault(path: string, isFolder: boolean): string | undefined {
    const slash = path.lastIndexOf("/");
    const above = slash < 0 ? this.#root : this.#folder(path.slice(0, slash));
    if (typeof above === "string") return above;
    const name = path.slice(slash + 1);
    if (!isFolder) return fileFault(above, name);
    const entered = this.#enter(above, name);
    return typeof entered === "string" ? entered : undefined;
  }

  /** Checks and adds a folder and those above it: the folder, or what is wrong. */
  #folder(path: string): Folder | string {
    if (path === this.#last.path) return this.#last.folder;
    let folder = this.#root;
    for (const name of path.split("/")) {
      const entered = this.#enter(folder, name);
      if (typeof entered === "string") return entered;
      folder = entered;
    }
    this.#last = { path, folder };
    return folder;
  }

  #enter(above: Folder, name: string): Folder | string {
    const folded = foldedName(name);
    const known = above.folder(folded);
    if (known?.name === name) return known;
    if (known !== undefined) return "names a folder that differs from another only in case or normalisation";
    if (above.file(folded) !== undefined) return "needs a folder where another entry is a file";
    if (this.#folders === this.foldersMax) {
      this.isFull = true;
      return `needs more than ${this.foldersMax} folders`;
    }
    this.#folders++;
    const folder = new Folder(name);
    above.addFolder(folded, folder);
    return folder;
  }
}

function fileFault(above: Folder, name: string): string | undefined {
  const folded = foldedName(name);
  if (above.folder(folded) !== undefined) return "is a file where another entry needs a folder";
  const same = above.file(folded);
  if (same === name) return "is there twice";
  if (same !== undefined) return "differs from another only in case or normalisation";
  above.addFile(folded, name);
  return undefined;
}

const ASCII_ONLY = /^[\0-\x7f]*$/;

/** Equal for names that some file system takes for one. Upper case first: `ſ` and `K` (Kelvin) fold only that way. */
function foldedName(name: string): string {
  if (ASCII_ONLY.test(name)) return name.toLowerCase();
  return name.normalize("NFC").toUpperCase().toLowerCase().normalize("NFC");
}

function utf8Length(text: string): number {
  // A UTF-16 unit is at most three bytes: only long texts are worth encoding.
  return text.length * 3 <= SEGMENT_BYTES_MAX ? text.length : new TextEncoder().encode(text).byteLength;
}
