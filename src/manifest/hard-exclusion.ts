import type { RelativePath } from "../core/paths.ts";

/** The vault of a workspace. */
export const VAULT_PATH: RelativePath = "config/comfyvn.secrets.json";

/** What this product keeps for itself inside a workspace: its caches, its archives, its log. */
const OWN_FOLDERS: readonly RelativePath[] = ["cache/cloud", "backups/cloud", "logs"];

/**
 * Anything named after the vault, in any folder: the file, its lock, its temp files (this product's and the Python
 * studio's `comfyvn.secrets.tmp`), editors' copies. Ignoring case, as the file systems of Windows and macOS do; with
 * the `u` flag that includes the letters that only case folding makes equal (U+017F).
 */
const VAULT_NAME = /comfyvn\.secrets/iu;
/** `.env`, `.env.local`, `.env~`, `.envrc`: but not `.environment`. */
const ENVIRONMENT_NAME = /^\.env(?:rc)?(?![a-z0-9])/iu;
/**
 * The studio's webhooks, which hold secrets as they are, copies of that file, and this product's queue beside it. In the
 * workspace's own `data` alone: elsewhere it is a name like any other.
 */
const WEBHOOKS_FILE = /^data\/\.?webhooks[ .~][^/]*$/iu;
const WEBHOOKS_FOLDER = /^data\/$/iu;
/** A file that an atomic write of this product has not yet given its name (platform's `.<name>.<random>.tmp`). */
const OWN_TEMP_NAME = /^\.[^]*\.[0-9a-f]{16}\.tmp$/i;

const DOT = 0x2e;

/**
 * True for a path that no include brings in. Like an exclude pattern it holds for everything below (inherited.ts).
 * Names with secrets are refused in every folder and every case; the product's own folders as they are written here.
 */
export function isHardExcluded(path: RelativePath): boolean {
  const nameAt = path.lastIndexOf("/") + 1;
  if (VAULT_NAME.test(path) || WEBHOOKS_FILE.test(path)) return true;
  if (path.charCodeAt(nameAt) === DOT) {
    const name = path.slice(nameAt);
    if (ENVIRONMENT_NAME.test(name) || OWN_TEMP_NAME.test(name)) return true;
  }
  return OWN_FOLDERS.includes(path);
}

/** False when `isHardExcluded` is surely false for all names of a folder (see NamesRule). */
export function mayHardExcludeAny(prefix: string, names: string): boolean {
  return (
    VAULT_NAME.test(names) ||
    names.startsWith(".") ||
    names.includes("\0.") ||
    WEBHOOKS_FOLDER.test(prefix) ||
    OWN_FOLDERS.some((folder) => folder.startsWith(prefix))
  );
}

/**
 * The own folder that `path` spells in another case, if any: on some file systems that is the same folder, on others
 * it is the user's.
 */
export function ownFolderInOtherCase(path: RelativePath): RelativePath | undefined {
  const folded = path.toLowerCase();
  return folded === path ? undefined : OWN_FOLDERS.find((folder) => folder === folded);
}
