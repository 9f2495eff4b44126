import type { RelativePath } from "../core/paths.ts";
import type { FileKind, TreeReader } from "../platform/contract.ts";
import { Turn } from "../threads/turn.ts";
import type { SkippedPath } from "./manifest.ts";

/**
 * Of paths that a scan did not find, those at which there is something all the same. Programs save by moving the old
 * file away and writing a new one: whoever lists the folder between the two sees neither.
 * @param root native path of the workspace
 * @returns as a scan skips what it cannot record
 * @throws SyncError `aborted`
 */
export async function stillThere(
  tree: TreeReader,
  root: string,
  paths: Iterable<RelativePath>,
  signal?: AbortSignal,
): Promise<SkippedPath[]> {
  const turn = new Turn(signal);
  const names = new FolderNames(tree, root);
  const found: SkippedPath[] = [];
  for (const path of paths) {
    const kind = kindAt(tree, `${root}/${path}`);
    // A folder in a file's place is not that file.
    if (kind !== undefined && kind !== "directory" && names.mayHold(path, kind))
      found.push({ path, reason: kind === "unreadable" ? "unreadable" : "changed" });
    if (turn.due()) await turn.pause();
  }
  return found;
}

function kindAt(tree: TreeReader, native: string): FileKind | "unreadable" | undefined {
  try {
    return tree.lstat(native)?.kind;
  } catch {
    return "unreadable";
  }
}

/** The names in folders, each listed once. */
class FolderNames {
  readonly #tree: TreeReader;
  readonly #root: string;
  readonly #names = new Map<RelativePath, { readonly exact: Set<string>; readonly folded: Set<string> } | undefined>();

  constructor(tree: TreeReader, root: string) {
    this.#tree = tree;
    this.#root = root;
  }

  /**
   * False when only another spelling of the path is there: a file system that ignores case finds `A.png` where it was
   * renamed to `a.png`.
   * @param kind "unreadable": not even that there is something is known
   */
  mayHold(path: RelativePath, kind: FileKind | "unreadable"): boolean {
    let folder = "";
    for (const name of path.split("/")) {
      const names = this.#namesIn(folder);
      if (names === undefined) return true;
      if (!names.exact.has(name)) return kind !== "unreadable" && !names.folded.has(fold(name));
      folder = folder === "" ? name : `${folder}/${name}`;
    }
    return true;
  }

  /** undefined for a folder that cannot be listed. */
  #namesIn(folder: RelativePath): { readonly exact: Set<string>; readonly folded: Set<string> } | undefined {
    if (!this.#names.has(folder)) this.#names.set(folder, this.#list(folder));
    return this.#names.get(folder);
  }

  #list(folder: RelativePath): { readonly exact: Set<string>; readonly folded: Set<string> } | undefined {
    try {
      const { files, folders, symlinks, others } = this.#tree.list(`${this.#root}/${folder}`);
      const names = [...files, ...folders, ...symlinks, ...others];
      return { exact: new Set(names), folded: new Set(names.map(fold)) };
    } catch {
      return undefined;
    }
  }
}

/** As file systems that ignore case and composition compare names, or nearly. */
function fold(name: string): string {
  return name.normalize("NFC").toLowerCase();
}
