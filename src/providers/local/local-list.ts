import { throwIfAborted } from "../../core/errors.ts";
import type { FileStat } from "../../platform/contract.ts";
import type { ObjectInfo } from "../contract.ts";
import type { Destination } from "./destination.ts";
import { atDestination } from "./local-error.ts";
import { infoOf } from "./local-version.ts";

/** Files looked at side by side: a network mount answers each after a round trip. */
const STATS_AT_ONCE = 32;

/**
 * Every file whose key starts with `prefix`, folder by folder. Symlinks, temp files, our own folder and names that
 * cannot be keys are left out. Throws when the destination's folder is no longer the same at the end: then files may be
 * missing.
 */
export async function* listObjects(
  destination: Destination,
  prefix: string,
  isKey: (key: string) => boolean,
  signal: AbortSignal | undefined,
): AsyncGenerator<ObjectInfo> {
  const isFolder = (folder: string): boolean => folder === "" || isKey(`${folder}x`);
  const folders = await firstFolders(destination, prefix, isFolder);
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    throwIfAborted(signal);
    const keys = (await namesIn(destination, folder))
      .map((name) => `${folder}${name}`)
      .filter((key) => matches(key, prefix));
    for (let start = 0; start < keys.length; start += STATS_AT_ONCE) {
      const batch = keys.slice(start, start + STATS_AT_ONCE);
      const stats = await Promise.all(batch.map((key) => statOf(destination, key)));
      for (const [index, key] of batch.entries()) {
        throwIfAborted(signal);
        const stat = stats[index];
        if (stat?.kind === "directory" && isFolder(`${key}/`)) folders.push(`${key}/`);
        else if (stat?.kind === "file" && key.startsWith(prefix) && isKey(key)) yield infoOf(key, stat);
      }
    }
  }
  await destination.checkRoot();
}

/**
 * Where to begin, at most one: the prefix's own folder when it is really there. Where names are folded the root,
 * because only the listed names tell whether a folder is spelled like the prefix.
 */
async function firstFolders(
  destination: Destination,
  prefix: string,
  isFolder: (folder: string) => boolean,
): Promise<string[]> {
  const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
  if (!isFolder(folder)) return [];
  if (folder === "" || (await destination.folds())) return [""];
  const path = destination.pathOf(folder.slice(0, -1));
  return (await atDestination(() => destination.files.realPath(path))) === path ? [folder] : [];
}

/** False when neither the key nor anything below it starts with the prefix. */
function matches(key: string, prefix: string): boolean {
  return key.startsWith(prefix) || prefix.startsWith(`${key}/`);
}

/** A folder that vanished since it was seen has no names. */
async function namesIn(destination: Destination, folder: string): Promise<readonly string[]> {
  const path = folder === "" ? destination.root : destination.pathOf(folder.slice(0, -1));
  return (await atDestination(() => destination.files.list(path))) ?? [];
}

async function statOf(destination: Destination, key: string): Promise<FileStat | undefined> {
  return await atDestination(() => destination.files.lstat(destination.pathOf(key)));
}
