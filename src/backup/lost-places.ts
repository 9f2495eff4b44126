import { emptyPlaces } from "../core/empty-places.ts";
import { SyncError } from "../core/errors.ts";
import type { RelativePath } from "../core/paths.ts";
import { inherited } from "../manifest/inherited.ts";
import type { Scope } from "../manifest/scope.ts";
import type { FoundFile } from "../manifest/walk.ts";
import { ArchiveFile } from "./archive-file.ts";
import { type BackupEngine, backupsFolder } from "./backup-engine.ts";
import type { BackupSkip } from "./backup-skip.ts";
import { readDirectory } from "./zip-directory.ts";

/** Why something is not in an archive that may be whole in an older one. */
const MAY_BE_OLDER: ReadonlySet<BackupSkip["reason"]> = new Set(["symlink", "vanished", "changed"]);

/**
 * Where an archive has nothing though it was asked to: include paths without a file, as of a disk that is not mounted,
 * links, which are never archived, and files that could not be had whole.
 */
export function lostPlaces(
  { include, includeInside }: Scope,
  found: readonly FoundFile[],
  skipped: readonly BackupSkip[],
): ReadonlySet<RelativePath> {
  const leftOut = new Set(skipped.map(({ path }) => path));
  const archived = function* () {
    for (const { path } of found) if (!leftOut.has(path)) yield path;
  };
  const empty = emptyPlaces([...include, ...includeInside], archived());
  // The whole workspace is no place that can be lost.
  empty.delete("");
  for (const { path, reason } of skipped) if (MAY_BE_OLDER.has(reason)) empty.add(path);
  return empty;
}

/**
 * True when the archive holds a file at or below one of `places`; also when it cannot be read just now. False for one
 * that is no archive: nothing can be restored from it.
 */
export async function mayHoldFiles(
  engine: BackupEngine,
  name: string,
  places: ReadonlySet<RelativePath>,
): Promise<boolean> {
  if (places.size === 0) return false;
  const isThere = inherited((path) => places.has(path));
  try {
    const file = await ArchiveFile.of(await engine.files.openRead(engine.files.join(backupsFolder(engine), name)));
    try {
      const { directory, workspace } = await readDirectory(file, engine, undefined);
      return workspace.some((place) => {
        const { path, isFolder } = directory.name(place);
        return !isFolder && isThere(path);
      });
    } finally {
      await file.close();
    }
  } catch (error) {
    return !(error instanceof SyncError) || error.code !== "archive_invalid";
  }
}
