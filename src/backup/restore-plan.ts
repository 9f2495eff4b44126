import { compareCodePoints } from "../core/code-point.ts";
import { emptyPlaces } from "../core/empty-places.ts";
import { SyncError } from "../core/errors.ts";
import { normaliseInclude, type RelativePath } from "../core/paths.ts";
import { isHardExcluded, ownFolderInOtherCase, VAULT_PATH } from "../manifest/hard-exclusion.ts";
import { inherited, type PathRule } from "../manifest/inherited.ts";
import { pythonMtime } from "../manifest/python-float.ts";
import { Turn } from "../threads/turn.ts";
import type { FileStat, TreeFile, TreeWriter } from "../platform/contract.ts";
import { type BackupEngine, MemoryReclaim } from "./backup-engine.ts";
import type { KnownFile } from "./known-files.ts";
import type { OpenArchive } from "./open-archive.ts";
import type { SpaceNeeded } from "./space-needed.ts";

export interface RestoreRequest {
  readonly name: string;
  /** Default false: files that exist stay as they are. */
  readonly replace_existing?: boolean | undefined;
  /** Restores only what is at or below these paths. */
  readonly paths?: readonly string[] | undefined;
}

export type RestoreSkipReason =
  /** A file of that name exists, and existing files are not to be replaced. */
  | "exists"
  /** The file has this very content and time. */
  | "equal"
  /** The vault, an environment file, or one of this product's own folders. */
  | "protected"
  /** Not in the archive, though its manifest or the request names it. */
  | "missing";

export interface RestorePlan {
  /** Places in the directory of the files to be written, in the order of the archive. */
  readonly writes: readonly number[];
  /** Of them, those at whose paths a file stands. */
  readonly replaces: ReadonlySet<number>;
  /** Of all files to be written. */
  readonly bytes: number;
  readonly folders: readonly RelativePath[];
  readonly skipped: readonly { readonly path: RelativePath; readonly reason: RestoreSkipReason }[];
}

interface FileToWrite {
  readonly path: RelativePath;
  readonly size: number;
}

/** A plan while it is made. */
class Planned implements RestorePlan {
  readonly writes: number[] = [];
  readonly replaces = new Set<number>();
  readonly folders: RelativePath[];
  readonly skipped: { path: RelativePath; reason: RestoreSkipReason }[];
  bytes = 0;

  /**
   * @param before whose folders and skipped files it begins with
   * @param space to be told of what is to be written
   */
  constructor(
    before?: RestorePlan,
    private readonly space?: SpaceNeeded,
  ) {
    this.folders = [...(before?.folders ?? [])];
    this.skipped = [...(before?.skipped ?? [])];
  }

  write(place: number, { path, size }: FileToWrite, existing: FileStat | undefined): void {
    this.writes.push(place);
    this.bytes += size;
    this.space?.add(path, Math.max(0, size - (existing?.size ?? 0)));
    if (existing !== undefined) this.replaces.add(place);
  }
}

/**
 * Decides what becomes of each entry by looking at what stands in the workspace; writes nothing.
 * @param space is told of what is to be written
 * @throws SyncError `bad_path`, `restore_conflict`, `aborted`
 */
export async function planRestore(
  engine: BackupEngine,
  writer: TreeWriter,
  archive: OpenArchive,
  request: RestoreRequest,
  space: SpaceNeeded,
  signal: AbortSignal | undefined,
): Promise<RestorePlan> {
  const wanted = request.paths?.map(normaliseInclude);
  const isWanted = selection(wanted);
  const isProtected = protection(writer);
  const turn = new Turn(signal);
  const memory = new MemoryReclaim(engine);
  const plan = new Planned(undefined, space);
  const { directory, workspace } = archive;
  for (const place of workspace) {
    memory.entry();
    if (turn.due()) await turn.pause();
    const { path, isFolder } = directory.name(place);
    if (!isWanted(path)) continue;
    if (isProtected(path)) {
      if (!isFolder) plan.skipped.push({ path, reason: "protected" });
      continue;
    }
    const existing = writer.lstat(path);
    if (isFolder) {
      if (existing !== undefined && existing.kind !== "directory")
        throw conflict(path, "a file or link stands where a folder is needed");
      plan.folders.push(path);
    } else if (existing === undefined) {
      plan.write(place, { path, size: directory.size(place) }, existing);
    } else if (request.replace_existing !== true) {
      plan.skipped.push({ path, reason: "exists" });
    } else if (existing.kind === "directory") {
      throw conflict(path, "a folder stands where a file is to be");
    } else if (await isEqual(engine, writer, path, existing, archive.embedded?.known.get(place))) {
      plan.skipped.push({ path, reason: "equal" });
    } else {
      plan.write(place, { path, size: directory.size(place) }, existing);
    }
  }
  for (const path of missing(archive, wanted)) plan.skipped.push({ path, reason: "missing" });
  return plan;
}

/** What should be in the archive and is not: silence would pass for "restored". */
function missing({ directory, workspace, embedded }: OpenArchive, wanted: readonly RelativePath[] | undefined) {
  const named = (embedded?.missing ?? []).filter(selection(wanted)).toSorted(compareCodePoints);
  const paths = function* () {
    yield* named;
    for (const place of workspace) yield directory.name(place).path;
  };
  const unseen = emptyPlaces(wanted?.filter((path) => path !== "") ?? [], paths());
  return [...named, ...unseen];
}

/** The plan for what stands in the workspace by now: while it was checked, another restore may have been at work. */
export function planAgain(
  engine: BackupEngine,
  writer: TreeWriter,
  { directory }: OpenArchive,
  plan: RestorePlan,
  request: RestoreRequest,
): RestorePlan {
  const memory = new MemoryReclaim(engine);
  const now = new Planned(plan);
  for (const place of plan.writes) {
    const { path } = directory.name(place);
    const existing = writer.lstat(path);
    // What stands there weighs more than its name.
    if (existing !== undefined) memory.entry();
    if (existing === undefined || request.replace_existing === true)
      now.write(place, { path, size: directory.size(place) }, existing);
    else now.skipped.push({ path, reason: "exists" });
  }
  return now;
}

function selection(wanted: readonly RelativePath[] | undefined): PathRule {
  if (wanted === undefined) return () => true;
  const places = new Set(wanted);
  return places.has("") ? () => true : inherited((path) => places.has(path));
}

/** What no archive brings back: the manifest's hard exclusions, as this file system spells them, and the vault itself. */
function protection(writer: TreeWriter): PathRule {
  const vault = writer.lstat(VAULT_PATH);
  return inherited((path) => {
    if (isHardExcluded(path)) return true;
    const own = ownFolderInOtherCase(path);
    if (own !== undefined && isSame(writer.lstat(own), writer.lstat(path))) return true;
    return vault !== undefined && isSame(vault, writer.lstat(path));
  });
}

function isSame(a: FileStat | undefined, b: FileStat | undefined): boolean {
  return a !== undefined && b !== undefined && a.inode !== 0n && a.inode === b.inode && a.device === b.device;
}

const BUFFER_BYTES = 1_048_576;

/** True when nothing would change: cheap to find out, and it makes a second restore after an interrupted one quick. */
async function isEqual(
  { newHasher }: BackupEngine,
  writer: TreeWriter,
  path: RelativePath,
  existing: FileStat,
  expected: KnownFile | undefined,
): Promise<boolean> {
  const same =
    expected !== undefined &&
    existing.kind === "file" &&
    existing.size === expected.size &&
    pythonMtime(existing.mtimeNs) === expected.mtime;
  if (!same) return false;
  const turn = new Turn();
  const hasher = newHasher();
  const buffer = new Uint8Array(Math.min(BUFFER_BYTES, expected.size + 1));
  const file = openToCompare(writer, path);
  if (file === undefined) return false;
  try {
    for (let count = file.read(buffer); count > 0; count = file.read(buffer)) {
      hasher.update(buffer.subarray(0, count));
      if (turn.due()) await turn.pause();
    }
  } finally {
    file.close();
  }
  return hasher.digestHex() === expected.sha256;
}

/** What cannot be read is not known to be equal; that it is to be replaced was asked for. */
function openToCompare(writer: TreeWriter, path: RelativePath): TreeFile | undefined {
  try {
    return writer.open(path);
  } catch (error) {
    if (error instanceof SyncError && (error.code === "file_unreadable" || error.code === "file_missing")) return;
    throw error;
  }
}

function conflict(path: RelativePath, what: string): SyncError {
  return new SyncError("restore_conflict", `${what}: ${path}; move it away and restore again`);
}
