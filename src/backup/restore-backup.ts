import { SyncError, toSyncError } from "../core/errors.ts";
import type { RelativePath } from "../core/paths.ts";
import { Turn } from "../threads/turn.ts";
import type { TreeWriter } from "../platform/contract.ts";
import { type BackupCallOptions, type BackupEngine, withBackupLock } from "./backup-engine.ts";
import { checkBackupName } from "./backup-name.ts";
import { dataOffset } from "./local-header.ts";
import { type OpenArchive, withArchive } from "./open-archive.ts";
import { ProgressReport } from "./progress-report.ts";
import {
  planAgain,
  planRestore,
  type RestorePlan,
  type RestoreRequest,
  type RestoreSkipReason,
} from "./restore-plan.ts";
import { SpaceNeeded } from "./space-needed.ts";
import { unpack } from "./unpack.ts";

export interface RestoredBackup {
  readonly name: string;
  /** Paths written, in the order of the archive. */
  readonly restored: readonly RelativePath[];
  /** Paths that were asked for and not written. */
  readonly skipped: readonly RelativePath[];
  /** How many were skipped for which reason. */
  readonly skipped_reasons: Readonly<Partial<Record<RestoreSkipReason, number>>>;
}

/** Enough for most headers: data between those that are only looked at are not read. */
const HEADER_BYTES = 512;
/**
 * Brings files of an archive back. First everything is checked, the data of every file to be written included; then each
 * file is written beside its place and takes its name when it is whole. Existing files are replaced only when that is
 * asked for. A restore that failed is finished by the same call.
 * @throws SyncError `backup_name`, `bad_path`, `backup_missing`, `backup_busy`, `archive_invalid`, `restore_conflict`,
 * `disk_full`, `write_failed`, `aborted`; `details.restored` lists what was written before
 */
export async function restoreBackup(
  engine: BackupEngine,
  request: RestoreRequest,
  options: BackupCallOptions = {},
): Promise<RestoredBackup> {
  const { name } = checkBackupName(request.name);
  const startedAtMs = engine.clock.now();
  const { bytes, ...result } = await withArchive(engine, name, { signal: options.signal }, (archive) =>
    restoreFrom(engine, archive, request, options),
  );
  engine.events.emit({
    type: "backup.restore",
    name,
    paths: request.paths ?? [],
    restored: result.restored.length,
    skipped: result.skipped.length,
    bytes,
    durationMs: engine.clock.now() - startedAtMs,
  });
  return { name, ...result };
}

async function restoreFrom(
  engine: BackupEngine,
  archive: OpenArchive,
  request: RestoreRequest,
  options: BackupCallOptions,
): Promise<Omit<RestoredBackup, "name"> & { readonly bytes: number }> {
  const writer = engine.openTreeWriter(engine.root);
  try {
    const space = await noteSpace(engine, writer);
    const planned = await planRestore(engine, writer, archive, request, space, options.signal);
    await checkSpace(engine, space);
    await checkData(engine, archive, planned, options);
    // Only now: a refused archive leaves no trace, not even of a lock.
    return await withBackupLock(engine, options.signal, async () => {
      const plan = planAgain(engine, writer, archive, planned, request);
      const restored = await write(engine, writer, archive, plan, options);
      return { restored, ...told(plan), bytes: plan.bytes };
    });
  } finally {
    writer.close();
  }
}

function told({ skipped }: RestorePlan): Pick<RestoredBackup, "skipped" | "skipped_reasons"> {
  const reasons: Partial<Record<RestoreSkipReason, number>> = {};
  for (const { reason } of skipped) reasons[reason] = (reasons[reason] ?? 0) + 1;
  return { skipped: skipped.map(({ path }) => path), skipped_reasons: reasons };
}

async function noteSpace({ files, root }: BackupEngine, writer: TreeWriter): Promise<SpaceNeeded> {
  const stat = await files.stat(root);
  if (stat === undefined) throw new SyncError("root_missing", "the workspace folder is gone");
  return new SpaceNeeded(writer, stat.device);
}

/** @throws SyncError `disk_full` */
async function checkSpace({ files, root }: BackupEngine, space: SpaceNeeded): Promise<void> {
  for (const { folder, bytes } of space.all()) {
    const free = await files.freeBytes(folder === "" ? root : files.join(root, ...folder.split("/")));
    if (free === undefined || bytes <= free) continue;
    const where = folder === "" ? "" : ` of ${folder}`;
    const message = `the restore needs ${bytes} bytes and the disk${where} has ${free}; nothing was written`;
    throw new SyncError("disk_full", message, { details: { restored: [] } });
  }
}

/** Every file to be written once, and the header of every other: an archive that is damaged changes nothing. */
async function checkData(
  engine: BackupEngine,
  archive: OpenArchive,
  { writes, bytes }: RestorePlan,
  options: BackupCallOptions,
): Promise<void> {
  const { directory, file } = archive;
  const progress = new ProgressReport("check", { files: writes.length, bytes }, options.onProgress);
  const read = new Uint8Array(directory.length);
  for (const place of writes) read[place] = 1;
  const turn = new Turn(options.signal);
  for (const [place, isRead] of read.entries()) {
    if (isRead === 0) await dataOffset(file, directory.entry(place), HEADER_BYTES);
    if (turn.due()) await turn.pause();
  }
  await unpack(engine, archive, { places: writes, bytes }, undefined, {
    signal: options.signal,
    onFile: () => progress.fileDone(),
    onBytes: (count) => progress.bytes(count),
  });
  progress.end();
}

async function write(
  engine: BackupEngine,
  writer: TreeWriter,
  archive: OpenArchive,
  { writes, replaces, bytes, folders }: RestorePlan,
  options: BackupCallOptions,
): Promise<RelativePath[]> {
  const { directory } = archive;
  const progress = new ProgressReport("restore", { files: writes.length, bytes }, options.onProgress);
  const done = new Uint8Array(directory.length);
  const inOrder = () => writes.filter((place) => done[place] === 1).map((place) => directory.name(place).path);
  try {
    for (const folder of folders) writer.makeFolder(folder);
    await unpack(engine, archive, { places: writes, replaces, bytes }, writer, {
      signal: options.signal,
      onFile: (place) => {
        done[place] = 1;
        progress.fileDone();
      },
      onBytes: (count) => progress.bytes(count),
    });
  } catch (error) {
    throw withRestored(error, inOrder());
  }
  progress.end();
  return inOrder();
}

function withRestored(thrown: unknown, restored: readonly RelativePath[]): SyncError {
  const error = toSyncError(thrown);
  return new SyncError(
    error.code,
    `${error.message}; ${restored.length} file(s) were restored before, each whole: restore again to finish`,
    { details: { ...error.details, restored }, cause: error },
  );
}
