import type { DriveFiles } from "./drive-files.ts";
import type { DriveFolder } from "./folder.ts";
import { childrenQuery, controlKeyOf } from "./names.ts";

/** Control files that stand beside a manifest and are none. */
const BESIDE = /\.(run|lease)\.json$/;

/**
 * Whose the files are that the Python studio has stored. They bear a path and no snapshot: several snapshots in one folder
 * share them, and overwrite each other's. Here a snapshot sees them when it has a manifest; it writes over them only when
 * no other has one, and else puts files of its own beside them.
 */
export class LegacyFiles {
  readonly #folder: DriveFolder;
  readonly #files: DriveFiles;
  readonly #base: string;
  #snapshots: readonly string[] | undefined;
  #kept = 0;

  constructor(folder: DriveFolder, files: DriveFiles, base: string) {
    this.#folder = folder;
    this.#files = files;
    this.#base = base;
  }

  /** How many of them were left alone because other snapshots may mean them. */
  get kept(): number {
    return this.#kept;
  }

  /** Snapshots with a manifest; empty with a prefix, which the studio does not know. Asked once. */
  async snapshots(signal: AbortSignal | undefined): Promise<readonly string[]> {
    if (this.#base !== "") return [];
    if (this.#snapshots !== undefined) return this.#snapshots;
    await this.#folder.checkOnce(signal);
    const names = new Set<string>();
    for await (const file of this.#files.list(childrenQuery(this.#folder.id), this.#folder.driveId, signal)) {
      const key = controlKeyOf(file, "");
      if (key?.endsWith(".json") === true && !BESIDE.test(key)) names.add(file.name.slice(0, -".json".length));
    }
    this.#snapshots = [...names];
    return this.#snapshots;
  }

  /** Whether `snapshot` may change files of the studio's: no other one has a manifest. */
  async areOf(snapshot: string, signal: AbortSignal | undefined): Promise<boolean> {
    const sole = (await this.snapshots(signal)).every((other) => other === snapshot);
    if (!sole) this.#kept++;
    return sole;
  }
}
