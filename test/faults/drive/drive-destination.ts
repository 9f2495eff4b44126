import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { DriveFake } from "../../fakes/drive/drive-fake.ts";
import { contentOf, type FileRecord } from "../../fakes/drive/file-record.ts";
import { Violation } from "../mirror.ts";

const PATH = "comfyvn_path";
const SNAPSHOT = "comfyvn_snapshot";

/** What a Drive folder really holds, seen without the product: by the layout that it documents. */
export class DriveDestination {
  constructor(
    private readonly fake: DriveFake,
    private readonly folderId: string,
    private readonly snapshot = "default",
  ) {}

  /** Files of the folder that are not in the trash. */
  files(): FileRecord[] {
    return [...this.fake.store.childrenOf(this.folderId)].filter(({ trashed }) => !trashed);
  }

  /** The snapshot's objects by path; several for one path are duplicates. */
  objects(): Map<string, FileRecord[]> {
    const objects = new Map<string, FileRecord[]>();
    for (const file of this.files()) {
      const path = this.#pathOf(file);
      if (path !== undefined) objects.set(path, [...(objects.get(path) ?? []), file]);
    }
    return objects;
  }

  /** @throws Violation when two files stand for one path, or two manifests for the snapshot */
  requireNoDuplicates(): void {
    const doubled = [...this.objects()].filter(([, files]) => files.length > 1).map(([path]) => path);
    if (this.#named(`${this.snapshot}.json`).length > 1) doubled.push("the manifest");
    if (doubled.length > 0) throw new Violation(`several files for one path: ${doubled.join(", ")}`);
  }

  /** @throws Violation when the published manifest names a file that is not there */
  requireNothingMissing(): void {
    const objects = this.objects();
    const missing = [...this.#published().keys()].filter((path) => !objects.has(path));
    if (missing.length > 0) throw new Violation(`the published manifest names missing files: ${missing.join(", ")}`);
  }

  /** @throws Violation when a file does not have the content that the published manifest says, or is not named by it */
  requirePublishedTrue(): void {
    const objects = this.objects();
    const published = this.#published();
    for (const [path, sha256] of published) {
      const found = objects.get(path)?.map(({ content }) => content?.sha256) ?? [];
      if (!found.includes(sha256))
        throw new Violation(`the manifest says ${sha256} of ${path}, Drive holds: ${found.join()}`);
    }
    const extra = [...objects.keys()].filter((path) => !published.has(path));
    if (extra.length > 0) throw new Violation(`files that the manifest does not name: ${extra.join(", ")}`);
  }

  /** @throws Violation when `folders` of a workspace and the objects differ in a path or a byte */
  requireEqual(root: string, folders: readonly string[]): void {
    const objects = this.objects();
    const local = folders.flatMap((folder) => filesBelow(root, folder));
    for (const path of local) {
      const { sha256 } = contentOf(readFileSync(join(root, path)));
      const found = objects.get(path)?.map(({ content }) => content?.sha256) ?? [];
      if (found.length !== 1 || found[0] !== sha256)
        throw new Violation(`${path} is ${sha256} here and [${found.join()}] in Drive`);
    }
    const extra = [...objects.keys()].filter((path) => !local.includes(path));
    if (extra.length > 0) throw new Violation(`Drive has what the workspace does not: ${extra.join(", ")}`);
  }

  /** @throws Violation when something is left in the folder that is neither an object nor belongs to the manifest */
  requireNothingElse(): void {
    const named = new Set([...this.objects().values()].flat());
    const isControl = (name: string) => name === `${this.snapshot}.json` || name.startsWith(`.${this.snapshot}.`);
    const other = this.files().filter((file) => !named.has(file) && !isControl(file.name));
    if (other.length > 0) throw new Violation(`left behind: ${other.map(({ name }) => name).join(", ")}`);
  }

  /** SHA-256 by path; empty before the first publish. */
  #published(): ReadonlyMap<string, string> {
    const [manifest] = this.#named(`${this.snapshot}.json`);
    if (manifest?.content === undefined) return new Map();
    const { entries } = (
      JSON.parse(new TextDecoder().decode(manifest.content.bytes)) as {
        manifest: { entries: Record<string, { sha256: string }> };
      }
    ).manifest;
    return new Map(Object.entries(entries).map(([path, { sha256 }]) => [path, sha256]));
  }

  #named(name: string): FileRecord[] {
    return this.files().filter((file) => file.name === name && this.#pathOf(file) === undefined);
  }

  #pathOf({ appProperties }: FileRecord): string | undefined {
    const own = appProperties.get(this.fake.account.app);
    if (own?.get(SNAPSHOT) !== this.snapshot) return undefined;
    const pieces = [...own]
      .filter(([name]) => /^comfyvn_path_\d\d$/.test(name))
      .toSorted(([a], [b]) => (a < b ? -1 : 1));
    return own.get(PATH) ?? pieces.map(([, piece]) => piece).join("");
  }
}

/** Paths of the files below a folder of `root`, from there on. */
function filesBelow(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
}
