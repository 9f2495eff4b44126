import type { Files } from "../../platform/contract.ts";
import { isTempName } from "./local-keys.ts";

/**
 * Removes the folder at `path` when no object is in it or below: nothing but folders and what killed writers left. False,
 * and nothing is removed, when anything else is there. A writer that is still at work below it loses its temp file: it
 * wants a folder where somebody else wants a file, and one of the two fails in any case.
 */
export async function removeHollow(files: Files, path: string): Promise<boolean> {
  const folders = [path];
  const temps: string[] = [];
  for (let at = 0; at < folders.length; at++) {
    const folder = folders[at] ?? "";
    for (const name of (await files.list(folder)) ?? []) {
      const child = files.join(folder, name);
      const kind = (await files.lstat(child))?.kind;
      if (kind === "directory") folders.push(child);
      else if (kind === "file" && isTempName(name)) temps.push(child);
      else return false;
    }
  }
  for (const temp of temps) await files.remove(temp);
  // The deepest last. A folder that somebody has filled meanwhile stays, and so do those that hold it.
  for (const folder of folders.toReversed()) await files.removeEmptyFolder(folder);
  return (await files.lstat(path)) === undefined;
}
