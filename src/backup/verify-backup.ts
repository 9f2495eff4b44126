import { compareCodePoints } from "../core/code-point.ts";
import { SyncError, toSyncError } from "../core/errors.ts";
import type { RelativePath } from "../core/paths.ts";
import { Turn } from "../threads/turn.ts";
import { archiveFault } from "./archive-fault.ts";
import type { BackupCallOptions, BackupEngine } from "./backup-engine.ts";
import { checkBackupName } from "./backup-name.ts";
import { type OpenArchive, withArchive } from "./open-archive.ts";
import { ProgressReport } from "./progress-report.ts";
import { unpack } from "./unpack.ts";

export interface VerifiedBackup {
  readonly name: string;
  /** True when restore would take every file, and the archive holds exactly what its manifest says. */
  readonly ok: boolean;
  readonly files: number;
  /** Of the archive. */
  readonly bytes: number;
  /** Of the files in it, as it says. */
  readonly content_bytes: number;
  /** The manifest's; null in an archive without one, whose files are checked by their CRC alone. */
  readonly checksum: string | null;
  /** What is wrong; `path` is null for what concerns the whole archive. */
  readonly problems: readonly BackupProblem[];
  /** In the manifest, not in the archive. */
  readonly missing: readonly string[];
  /** In the archive, not in its manifest. */
  readonly extra: readonly string[];
}

export interface BackupProblem {
  readonly path: string | null;
  readonly problem: string;
}

/**
 * Reads a whole archive as a restore would and writes nothing.
 * @throws SyncError `backup_name`, `backup_missing`, `aborted`, `file_unreadable`; what is wrong with the archive is in the answer
 */
export async function verifyBackup(
  engine: BackupEngine,
  nameText: string,
  options: BackupCallOptions = {},
): Promise<VerifiedBackup> {
  const { name } = checkBackupName(nameText);
  try {
    return {
      name,
      ...(await withArchive(engine, name, { signal: options.signal, withChecksum: true }, (archive) =>
        verify(engine, archive, options),
      )),
    };
  } catch (error) {
    if (!(error instanceof SyncError) || error.code !== "archive_invalid") throw error;
    const path = typeof error.details?.["entry"] === "string" ? error.details["entry"] : null;
    const problems = [{ path, problem: error.message }];
    return { name, ok: false, files: 0, bytes: 0, content_bytes: 0, checksum: null, problems, missing: [], extra: [] };
  }
}

async function verify(
  engine: BackupEngine,
  archive: OpenArchive,
  options: BackupCallOptions,
): Promise<Omit<VerifiedBackup, "name">> {
  const { directory, workspace, embedded, file } = archive;
  const contents = { files: 0, bytes: 0 };
  const extra: RelativePath[] = [];
  const turn = new Turn(options.signal);
  for (const place of workspace) {
    const { path, isFolder } = directory.name(place);
    if (turn.due()) await turn.pause();
    if (isFolder) continue;
    contents.files++;
    contents.bytes += directory.size(place);
    if (embedded !== undefined && !embedded.known.has(place)) extra.push(path);
  }
  const progress = new ProgressReport("check", contents, options.onProgress);
  const problems: BackupProblem[] = [];
  await unpack(engine, archive, { places: workspace, bytes: contents.bytes }, undefined, {
    signal: options.signal,
    onFile: () => progress.fileDone(),
    onBytes: (count) => progress.bytes(count),
    takesFault: (place, thrown) => {
      const error = toSyncError(thrown);
      if (error.code !== "archive_invalid") return false;
      problems.push({ path: directory.name(place).path, problem: error.message });
      return true;
    },
  });
  progress.end();
  const missing = embedded?.missing ?? [];
  const checksum = embedded?.actualChecksum;
  if (embedded?.checksum !== undefined && embedded.checksum !== checksum) {
    problems.push({ path: null, problem: archiveFault("has a manifest that does not match its checksum").message });
  }
  return {
    ok: problems.length + missing.length + extra.length === 0,
    files: contents.files,
    bytes: file.size,
    content_bytes: contents.bytes,
    checksum: checksum ?? null,
    problems,
    missing: missing.toSorted(compareCodePoints),
    extra: extra.toSorted(compareCodePoints),
  };
}
