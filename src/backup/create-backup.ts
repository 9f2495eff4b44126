import { SyncError } from "../core/errors.ts";
import type { RelativePath } from "../core/paths.ts";
import { ChecksumBuilder } from "../manifest/checksum.ts";
import { MANIFEST_BYTES_MAX } from "../manifest/decode-manifest.ts";
import { encodeManifestOf } from "../manifest/encode-manifest.ts";
import { VAULT_PATH } from "../manifest/hard-exclusion.ts";
import type { ManifestEntry } from "../manifest/manifest.ts";
import { createScope, DEFAULT_BACKUP_INCLUDE, type Scope } from "../manifest/scope.ts";
import { Turn } from "../threads/turn.ts";
import { type FoundFile, walkTree } from "../manifest/walk.ts";
import type { FileStat } from "../platform/contract.ts";
import { tooLarge } from "./archive-fault.ts";
import { archivePathFault, isMetadataPath, PathCollisions } from "./archive-names.ts";
import { ArchiveWriter } from "./archive-writer.ts";
import {
  type BackupCallOptions,
  type BackupEngine,
  backupsFolder,
  MANY_ENTRIES,
  MemoryReclaim,
  nowIso,
  withBackupLock,
} from "./backup-engine.ts";
import { KnownFiles } from "./known-files.ts";
import type { BackupSkip } from "./backup-skip.ts";
import { BACKUPS_FOLDER, backupName, backupStamp, checkLabel, parseBackupName } from "./backup-name.ts";
import { lostPlaces } from "./lost-places.ts";
import { ProgressReport } from "./progress-report.ts";
import { EntryPacker } from "./entry-packer.ts";
import { namedBackups, removeStaleTemps, rotate } from "./rotation.ts";
import { MANIFEST_ENTRY } from "./zip-format.ts";

const MAX_BACKUPS_DEFAULT = 5;
/** Files worth other threads. */
const POOL_FILES = 1_000;

export interface CreateBackupRequest {
  readonly label?: string | undefined;
  /** Default DEFAULT_BACKUP_INCLUDE. */
  readonly include?: readonly string[] | undefined;
  /** Default DEFAULT_EXCLUDE. */
  readonly exclude?: readonly string[] | undefined;
  /** Archives kept, this one included. */
  readonly max_backups?: number | undefined;
}

export interface CreatedBackup {
  readonly name: string;
  /** Relative to the workspace. */
  readonly path: RelativePath;
  readonly files: number;
  /** Of the archive. */
  readonly bytes: number;
  /** Of the files in it. */
  readonly content_bytes: number;
  /** The manifest's, as interop.md defines it. */
  readonly checksum: string;
  /** Names of the archives that rotation removed. */
  readonly removed: readonly string[];
  /** Names of the archives that rotation left, as they hold files at places where this one has none. */
  readonly kept: readonly string[];
  /** What is not in the archive though it was asked for. */
  readonly skipped: readonly BackupSkip[];
}

/**
 * Archives the files of a scope. Until everything is in it and on the disk the archive has no name of its own; only
 * then older ones are removed.
 * @throws SyncError `backup_label`, `bad_path`, `bad_pattern`, `backup_busy`, `backup_empty`, `backup_too_large`, `root_missing`, `aborted`,
 * `disk_full`, `write_failed`
 */
export async function createBackup(
  engine: BackupEngine,
  request: CreateBackupRequest,
  options: BackupCallOptions = {},
): Promise<CreatedBackup> {
  const label = request.label === undefined ? undefined : checkLabel(request.label);
  const scope = createScope({ include: request.include ?? DEFAULT_BACKUP_INCLUDE, exclude: request.exclude });
  const startedAtMs = engine.clock.now();
  const { fault, ...backup } = await withBackupLock(engine, options.signal, async () => {
    await removeStaleTemps(engine);
    const found = await findFiles(engine, scope, request.include !== undefined, options.signal);
    // What finding them took is needed no longer.
    if (found.files.length >= MANY_ENTRIES) engine.reclaimMemory();
    const name = await freeName(engine, label, options.signal);
    const archive = await writeArchive(engine, name, scope, found, options);
    // What could not be read now may be whole in an older archive, and nowhere else.
    if (archive.skipped.some(({ reason }) => reason === "unreadable"))
      return { ...archive, removed: [], kept: [], fault: undefined };
    const lost = lostPlaces(scope, found.files, archive.skipped);
    return { ...archive, ...(await rotate(engine, name, request.max_backups ?? MAX_BACKUPS_DEFAULT, lost)) };
  });
  engine.events.emit({
    type: "backup.create",
    name: backup.name,
    paths: scope.include,
    files: backup.files,
    bytes: backup.bytes,
    removed: backup.removed.length,
    durationMs: engine.clock.now() - startedAtMs,
  });
  if (fault === undefined) return backup;
  throw new SyncError(fault.code, `the backup ${backup.name} was made; an older one stays: ${fault.message}`, {
    cause: fault,
  });
}

interface Found {
  readonly files: readonly FoundFile[];
  readonly skipped: BackupSkip[];
}

/** Only names that restore takes on any system go into an archive; the rest is told. */
async function findFiles(
  engine: BackupEngine,
  scope: Scope,
  wereAskedFor: boolean,
  signal: AbortSignal | undefined,
): Promise<Found> {
  const walk = await walkTree({ tree: engine.tree, root: engine.root, scope, followSymlinks: false, signal });
  const skipped: BackupSkip[] = [...walk.skipped];
  if (wereAskedFor) skipped.push(...walk.missingIncludes.map((path) => ({ path, reason: "missing" as const })));
  const isArchive = await archiveTest(engine);
  const collisions = new PathCollisions();
  collisions.fault(MANIFEST_ENTRY, false);
  const turn = new Turn(signal);
  const files: FoundFile[] = [];
  for (const file of walk.files) {
    const { path } = file;
    if (isArchive(path)) skipped.push({ path, reason: "protected" });
    else if (isMetadataPath(path)) skipped.push({ path, reason: "reserved_name" });
    else if (archivePathFault(path) !== undefined) skipped.push({ path, reason: "unportable_name" });
    else if (collisions.fault(path, false) !== undefined) skipped.push({ path, reason: "name_collision" });
    else files.push(file);
    if (turn.due()) await turn.pause();
  }
  if (collisions.isFull) throw tooLarge();
  if (files.length === 0) {
    throw new SyncError(
      "backup_empty",
      "there is no file to back up at the include paths; nothing was written and no backup removed",
      { details: { skipped: skipped.length } },
    );
  }
  return { files, skipped };
}

/** True for an archive where the folder of archives is a symlink to one that is archived: each would hold all before it. */
async function archiveTest(engine: BackupEngine): Promise<(path: RelativePath) => boolean> {
  const { files, root } = engine;
  const real = await files.realPath(backupsFolder(engine));
  const realRoot = await files.realPath(root);
  if (real === undefined || realRoot === undefined) return () => false;
  return (path) => {
    const name = path.slice(path.lastIndexOf("/") + 1);
    return parseBackupName(name) !== undefined && files.join(realRoot, ...path.split("/")) === files.join(real, name);
  };
}

/** A name for now. Within one second the next backup waits for the next one, so that the order of names is that of time. */
async function freeName(
  engine: BackupEngine,
  label: string | undefined,
  signal: AbortSignal | undefined,
): Promise<string> {
  for (;;) {
    const now = engine.clock.now();
    const stamp = backupStamp(now);
    const taken = (await namedBackups(engine)).some(({ name }) => name.startsWith(stamp));
    if (!taken) return backupName(stamp, label);
    await engine.clock.sleep(1_000 - (now % 1_000), signal);
  }
}

async function writeArchive(
  engine: BackupEngine,
  name: string,
  scope: Scope,
  found: Found,
  options: BackupCallOptions,
): Promise<Omit<CreatedBackup, "removed" | "kept">> {
  const output = await engine.files.createAtomic(engine.files.join(backupsFolder(engine), name), { mode: 0o600 });
  try {
    const { files, skipped } = found;
    const writer = new ArchiveWriter(output);
    const progress = new ProgressReport("archive", { files: files.length }, options.onProgress);
    const packer = new EntryPacker(writer, {
      tree: engine.tree,
      compression: engine.compression,
      newHasher: engine.newHasher,
      pool: files.length >= POOL_FILES ? engine.pool : undefined,
      signal: options.signal,
      isProtected: vaultTest(engine),
      onBytes: (count) => progress.bytes(count),
    });
    const packed = new PackedFiles(engine, files);
    await packAll(engine, packer, packed, files, skipped, progress, options.signal);
    const checksum = packed.checksum();
    const created_at = nowIso(engine);
    const fields = { name: name.slice(0, -".zip".length), root: engine.root, created_at };
    const extra = { created_at, paths: scope.include, exclude: scope.exclude, checksum };
    const document = encodeManifestOf(fields, packed.entries(), extra);
    const documentBytes = await packer.addDocument(MANIFEST_ENTRY, document, engine.clock.now() / 1_000);
    if (documentBytes > MANIFEST_BYTES_MAX) throw tooLarge();
    await writer.end();
    await output.commit();
    return {
      name,
      path: `${BACKUPS_FOLDER}/${name}`,
      files: packed.files,
      bytes: writer.length,
      content_bytes: packed.bytes,
      checksum,
      skipped,
    };
  } catch (error) {
    await output.abort();
    throw error;
  }
}

/** What the manifest will say of the files, in columns; they come by code point of the path, as the walk found them. */
class PackedFiles {
  files = 0;
  /** Of them all. */
  bytes = 0;
  readonly #found: readonly FoundFile[];
  readonly #known: KnownFiles;
  readonly #checksum: ChecksumBuilder;
  readonly #engine: BackupEngine;

  constructor(engine: BackupEngine, found: readonly FoundFile[]) {
    this.#found = found;
    this.#known = KnownFiles.none(found.length);
    this.#checksum = new ChecksumBuilder(engine.newHasher);
    this.#engine = engine;
  }

  /** @param place among the files found */
  add(place: number, entry: ManifestEntry): void {
    this.#known.set(place, entry);
    this.#checksum.add(entry);
    this.files++;
    this.bytes += entry.size;
  }

  /** As interop.md defines it. To be asked once, at the end. */
  checksum(): string {
    return this.#checksum.digestHex();
  }

  *entries(): Generator<ManifestEntry> {
    const memory = new MemoryReclaim(this.#engine);
    for (const [place, { path }] of this.#found.entries()) {
      const known = this.#known.get(place);
      memory.entry();
      if (known !== undefined) yield { path, ...known };
    }
  }
}

async function packAll(
  engine: BackupEngine,
  packer: EntryPacker,
  packed: PackedFiles,
  files: readonly FoundFile[],
  skipped: BackupSkip[],
  progress: ProgressReport,
  signal: AbortSignal | undefined,
): Promise<void> {
  const turn = new Turn(signal);
  const memory = new MemoryReclaim(engine);
  for (const [place, file] of files.entries()) {
    const added = packer.addFile(file);
    const outcome = added instanceof Promise ? await added : added;
    if (typeof outcome === "string") skipped.push({ path: file.path, reason: outcome });
    else packed.add(place, outcome);
    progress.fileDone();
    memory.entry();
    if (turn.due()) await turn.pause();
  }
  await packer.settle();
  progress.end();
}

/** True for the vault under any name: a hard link is the same file. */
function vaultTest({ tree, root, files }: BackupEngine): (stat: FileStat) => boolean {
  let vault: FileStat | undefined;
  try {
    vault = tree.stat(files.join(root, ...VAULT_PATH.split("/")));
  } catch {
    // What cannot be looked at cannot be read under another name either.
  }
  // Some file systems give every file the inode 0: that says nothing.
  if (vault === undefined || vault.inode === 0n) return () => false;
  const { inode, device } = vault;
  return (stat) => stat.inode === inode && stat.device === device;
}
