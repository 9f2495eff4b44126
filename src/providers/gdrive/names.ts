import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { compareNewest, type DriveFile, FOLDER_TYPE } from "./drive-file.ts";

/**
 * How a key is kept in Drive (the Python studio's layout, and what it lacks):
 *
 * - `<base><snapshot>/<path>`: a file in the objects' folder, named like the last segment, with the property
 *   `comfyvn_path` = path, and `comfyvn_snapshot` = base and snapshot, which the studio does not write. A property holds
 *   124 bytes, its name included: a longer path lies in pieces `comfyvn_path_00`… and is found by `comfyvn_path_sha256`.
 * - `<base>manifests/<name>`: a file in the manifests' folder, named `<base><name>`, without a path.
 *
 * A name is not unique in Drive: of several files for one key the newest counts.
 */
export type DrivePlace =
  | { readonly kind: "control"; readonly name: string }
  | { readonly kind: "object"; readonly snapshot: string; readonly path: string };

const PATH = "comfyvn_path";
const SNAPSHOT = "comfyvn_snapshot";
const PATH_HASH = "comfyvn_path_sha256";
const PIECE = /^comfyvn_path_(\d\d)$/;
/** What a file that is no object and no control file says of itself (conditional-put.ts). */
export const CLAIM = "comfyvn_claim";
const MANIFESTS = "manifests/";

const PROPERTY_BYTES_MAX = 124;
const PIECE_BYTES_MAX = PROPERTY_BYTES_MAX - "comfyvn_path_00".length;
/** Eighteen pieces; an app has 30 properties of a file. */
const PATH_BYTES_MAX = 18 * PIECE_BYTES_MAX - 64;
const NAME_BYTES_MAX = 512;
const utf8 = new TextEncoder();

/** Where `key` lies; a string says why it cannot. */
export function placeOf(key: string, base: string): DrivePlace | string {
  if (key === "") return "is empty";
  if (!key.isWellFormed()) return "is not valid Unicode";
  if (key.includes("\0")) return "holds a NUL character";
  if (!key.startsWith(base)) return "lies outside of the destination's prefix";
  const rest = key.slice(base.length);
  const slash = rest.indexOf("/");
  const path = rest.slice(slash + 1);
  if (slash < 1 || path === "") return "is not <snapshot>/<path>";
  if (rest.startsWith(MANIFESTS) && !path.includes("/")) {
    return fits(base + path, NAME_BYTES_MAX) ? { kind: "control", name: base + path } : "is too long a name";
  }
  const snapshot = base + rest.slice(0, slash);
  if (!fits(snapshot, PROPERTY_BYTES_MAX - SNAPSHOT.length)) return "has too long a prefix and snapshot";
  if (!fits(path, PATH_BYTES_MAX)) return `has a path of more than ${PATH_BYTES_MAX} bytes in UTF-8`;
  return { kind: "object", snapshot, path };
}

/** The key of a file in the manifests' folder; undefined for one that is no control file. */
export function controlKeyOf(file: DriveFile, base: string): string | undefined {
  if (!isControl(file)) return undefined;
  const name = file.name.startsWith(base) ? file.name.slice(base.length) : "";
  return name === "" || name.includes("/") ? undefined : base + MANIFESTS + name;
}

/** An object's place as its properties tell; no snapshot where the Python studio stored it. */
export function objectOf(
  file: DriveFile,
): { readonly snapshot: string | undefined; readonly path: string } | undefined {
  const path = holdsBytes(file) ? pathIn(file) : undefined;
  return path === undefined ? undefined : { snapshot: file.properties[SNAPSHOT], path };
}

/** True where the properties of `file` make it the object at `place`, whoever stored it. */
export function isAt(file: DriveFile, place: DrivePlace): boolean {
  if (place.kind === "control") return file.name === place.name && isControl(file);
  const object = objectOf(file);
  return object?.path === place.path && (object.snapshot ?? place.snapshot) === place.snapshot;
}

/** True for an object that no snapshot has made its own. */
export function isUnclaimed(file: DriveFile): boolean {
  return !(SNAPSHOT in file.properties);
}

/** Of the files of one key the one that counts, then the others: a snapshot's own before the studio's, new before old. */
export function inRank(files: readonly DriveFile[]): readonly DriveFile[] {
  return files.toSorted((a, b) => Number(isUnclaimed(a)) - Number(isUnclaimed(b)) || compareNewest(a, b));
}

export function fileNameOf(place: DrivePlace): string {
  if (place.kind === "control") return place.name;
  return place.path.split("/").findLast((segment) => segment !== "") ?? "_";
}

/** What makes a file the one at `place`, and takes away what made it another one (`before`). */
export function propertiesOf(place: DrivePlace, before?: DriveFile): Record<string, string | null> {
  const properties: Record<string, string | null> = {};
  for (const name of Object.keys(before?.properties ?? {})) if (isPathProperty(name)) properties[name] = null;
  if (place.kind === "control") return properties;
  properties[SNAPSHOT] = place.snapshot;
  if (fits(place.path, PROPERTY_BYTES_MAX - PATH.length)) properties[PATH] = place.path;
  else {
    properties[PATH_HASH] = hashOf(place.path);
    for (const [index, piece] of piecesOf(place.path).entries())
      properties[`comfyvn_path_${String(index).padStart(2, "0")}`] = piece;
  }
  return properties;
}

/** The part of a query that finds `place`, and perhaps others (names ignore case): look at what comes back. */
export function queryFor(place: DrivePlace): string {
  if (place.kind === "control") return `name = ${quoted(place.name)}`;
  const short = fits(place.path, PROPERTY_BYTES_MAX - PATH.length);
  return short ? propertyQuery(PATH, place.path) : propertyQuery(PATH_HASH, hashOf(place.path));
}

export function propertyQuery(key: string, value: string): string {
  return `appProperties has { key=${quoted(key)} and value=${quoted(value)} }`;
}

/** Everything in a folder that is not in the trash. */
export function childrenQuery(folderId: string): string {
  return `${quoted(folderId)} in parents and trashed = false`;
}

/** `text` as a string of the query language: the backslash first, then the quote. */
function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

/** A short name for a key where a property has no room for it. */
export function hashOf(text: string): string {
  return bytesToHex(sha256(utf8.encode(text)));
}

function isControl(file: DriveFile): boolean {
  return holdsBytes(file) && pathIn(file) === undefined && !(CLAIM in file.properties);
}

function holdsBytes(file: DriveFile): boolean {
  return file.size !== undefined && file.mimeType !== FOLDER_TYPE;
}

function pathIn({ properties }: DriveFile): string | undefined {
  const whole = properties[PATH];
  if (whole !== undefined) return whole;
  const names = Object.keys(properties).filter((name) => PIECE.test(name));
  if (names.length === 0) return undefined;
  const path = names
    .toSorted()
    .map((name) => properties[name] ?? "")
    .join("");
  return hashOf(path) === properties[PATH_HASH] ? path : undefined;
}

function isPathProperty(name: string): boolean {
  return name === PATH || name === SNAPSHOT || name === PATH_HASH || PIECE.test(name);
}

/** Cut between characters, since half of one is no text. */
function piecesOf(path: string): string[] {
  const pieces: string[] = [];
  let piece = "";
  let bytes = 0;
  for (const character of path) {
    const more = utf8.encode(character).length;
    if (bytes + more > PIECE_BYTES_MAX) {
      pieces.push(piece);
      piece = "";
      bytes = 0;
    }
    piece += character;
    bytes += more;
  }
  return [...pieces, piece];
}

/** Three bytes are the most that a UTF-16 unit takes, so short text need not be encoded to know. */
function fits(text: string, bytesMax: number): boolean {
  return text.length * 3 <= bytesMax || utf8.encode(text).length <= bytesMax;
}
