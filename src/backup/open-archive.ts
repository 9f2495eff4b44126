import { SyncError } from "../core/errors.ts";
import { ArchiveFile } from "./archive-file.ts";
import { isMetadataPath } from "./archive-names.ts";
import { type BackupEngine, backupsFolder } from "./backup-engine.ts";
import { checkBackupName } from "./backup-name.ts";
import { type EmbeddedManifest, readEmbeddedManifest } from "./embedded-manifest.ts";
import { type ArchiveEntry, readDirectory } from "./zip-directory.ts";

/** An archive whose directory has passed every check. */
export interface OpenArchive {
  readonly name: string;
  readonly file: ArchiveFile;
  /** In the order of their data. */
  readonly all: readonly ArchiveEntry[];
  /** Files and folders of the workspace, in the order of their data; not what the archive keeps about itself. */
  readonly entries: readonly ArchiveEntry[];
  /** Undefined in archives that other tools made. */
  readonly embedded: EmbeddedManifest | undefined;
}

/**
 * Opens an archive by its name, hands it over, and closes it.
 * @throws SyncError `backup_name`, `backup_missing`, `archive_invalid`, `aborted`, and what `use` throws
 */
export async function withArchive<T>(
  engine: BackupEngine,
  nameText: string,
  signal: AbortSignal | undefined,
  use: (archive: OpenArchive) => Promise<T>,
): Promise<T> {
  const { name } = checkBackupName(nameText);
  const file = await openFile(engine, name);
  try {
    const all = await readDirectory(file, engine.compression, signal);
    const embedded = await readEmbeddedManifest(file, all, engine, signal);
    return await use({ name, file, embedded, all, entries: all.filter(({ path }) => !isMetadataPath(path)) });
  } finally {
    await file.close();
  }
}

async function openFile(engine: BackupEngine, name: string): Promise<ArchiveFile> {
  try {
    const handle = await engine.files.openRead(engine.files.join(backupsFolder(engine), name));
    return await ArchiveFile.of(handle);
  } catch (error) {
    if (!(error instanceof SyncError) || error.code !== "file_missing") throw error;
    throw new SyncError(
      "backup_missing",
      "there is no backup of that name; GET /api/backup lists those that there are",
      {
        cause: error,
      },
    );
  }
}
