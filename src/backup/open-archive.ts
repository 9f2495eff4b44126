import { SyncError } from "../core/errors.ts";
import { ArchiveFile } from "./archive-file.ts";
import { type BackupEngine, backupsFolder, MANY_ENTRIES } from "./backup-engine.ts";
import { checkBackupName } from "./backup-name.ts";
import { type EmbeddedManifest, type ManifestReading, readEmbeddedManifest } from "./embedded-manifest.ts";
import { UNPACK_WORK } from "./unpack-job.ts";
import { type CheckedDirectory, readDirectory } from "./zip-directory.ts";

/** An archive whose directory has passed every check. */
export interface OpenArchive extends CheckedDirectory {
  readonly name: string;
  readonly file: ArchiveFile;
  /** Undefined in archives that other tools made. */
  readonly embedded: EmbeddedManifest | undefined;
}

/** Archives from this size on, in bytes, are read by other threads as well (unpack.ts). */
const LARGE_ARCHIVE_BYTES = 8_388_608;

/**
 * Opens an archive by its name, hands it over, and closes it.
 * @throws SyncError `backup_name`, `backup_missing`, `archive_invalid`, `aborted`, and what `use` throws
 */
export async function withArchive<T>(
  engine: BackupEngine,
  nameText: string,
  reading: ManifestReading,
  use: (archive: OpenArchive) => Promise<T>,
): Promise<T> {
  const { name } = checkBackupName(nameText);
  const file = await openFile(engine, name);
  try {
    // While the directory is read a second core is free.
    if (file.size >= LARGE_ARCHIVE_BYTES) engine.pool?.prepare(UNPACK_WORK);
    const checked = await readDirectory(file, engine, reading.signal);
    const embedded = await readEmbeddedManifest(file, checked, engine, reading);
    // The document goes, and with it more than all that is kept of it.
    if (checked.directory.length >= MANY_ENTRIES) engine.reclaimMemory();
    return await use({ ...checked, name, file, embedded });
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
