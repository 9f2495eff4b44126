import { SyncError } from "./errors.ts";

/** A path of the manifest: relative to the workspace root, `/` between segments, no `.`, `..` or empty segment. */
export type RelativePath = string;

const DRIVE_LETTER = /^[A-Za-z]:/;
const SNAPSHOT_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const WINDOWS_DEVICE = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/i;

/** Why `path` cannot be a RelativePath, or undefined when it can. Never throws. */
export function relativePathFault(path: string): string | undefined {
  if (path === "") return "is empty";
  if (path.includes("\0")) return "holds a NUL character";
  if (path.includes("\\")) return "holds a backslash; write folders with /";
  if (path.startsWith("/")) return "is absolute; paths are relative to the workspace";
  if (DRIVE_LETTER.test(path)) return "starts with a drive letter; paths are relative to the workspace";
  if (!path.isWellFormed()) return "is not valid Unicode";
  for (const segment of path.split("/")) {
    if (segment === "..") return "holds '..'; paths stay inside the workspace";
  }
  return undefined;
}

/**
 * An include path of a request in its normal form: `./assets//ui/` becomes `assets/ui`; `.` becomes "" (the whole root).
 * @throws SyncError `bad_path` for an absolute, drive-letter, backslash, NUL or `..` form.
 */
export function normaliseInclude(path: string): RelativePath {
  const fault = relativePathFault(path);
  if (fault !== undefined) throw new SyncError("bad_path", `an include path ${fault}`);
  return path
    .split("/")
    .filter((segment) => segment !== "" && segment !== ".")
    .join("/");
}

/** True when `path` is `folder` or lies below it. The folder "" holds everything. */
export function isWithin(path: RelativePath, folder: RelativePath): boolean {
  return (
    folder === "" ||
    path === folder ||
    (path.length > folder.length && path.startsWith(folder) && path[folder.length] === "/")
  );
}

/**
 * @throws SyncError `bad_snapshot` unless `name` matches `^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`, is not `manifests` (the
 * folder of the manifests themselves) and is no Windows device name.
 */
export function checkSnapshotName(name: string): string {
  if (!SNAPSHOT_NAME.test(name)) {
    throw new SyncError(
      "bad_snapshot",
      "a snapshot name is 1 to 64 of A-Z a-z 0-9 . _ - and starts with a letter or digit",
    );
  }
  if (name.toLowerCase() === "manifests")
    throw new SyncError("bad_snapshot", "the snapshot name 'manifests' is taken by the manifests' own folder");
  if (WINDOWS_DEVICE.test(name))
    throw new SyncError("bad_snapshot", "the snapshot name is a device name on Windows; choose another");
  return name;
}
