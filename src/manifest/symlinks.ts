import { isWithin, type RelativePath } from "../core/paths.ts";
import type { FileStat, TreeReader } from "../platform/contract.ts";
import { isHardExcluded } from "./hard-exclusion.ts";
import { inherited } from "./inherited.ts";
import type { SkipReason } from "./manifest.ts";

/** Symlinked folders inside symlinked folders; folders that all link to each other would multiply without end. */
const NESTED_LINKS_MAX = 8;

/** Where something below a symlink really is. */
export interface RealPlace {
  /** Its real path, relative to the root's. */
  readonly path: RelativePath;
  /** The real folders that held the links followed so far. */
  readonly linksIn: readonly RelativePath[];
}

export interface LinkTarget {
  readonly kind: "file" | "directory";
  /** Native path of the target, every symlink resolved. */
  readonly native: string;
  readonly place: RealPlace;
}

/** Stands for bytes of a path that are not valid UTF-8, unless the path really holds it. */
const REPLACEMENT = "\uFFFD";

const isProtected = inherited(isHardExcluded);

/** Resolves symlinks for a scan that follows them, and refuses those that must not be. */
export class SymlinkFollower {
  readonly #tree: TreeReader;
  readonly #root: string;

  /** @param root native real path of the workspace */
  constructor(tree: TreeReader, root: string) {
    this.#tree = tree;
    this.#root = root;
  }

  /**
   * What the symlink at `native` leads to, or why it is not followed.
   * @param holder where the folder that holds the link really is
   * @throws SyncError `file_unreadable`
   */
  follow(native: string, holder: RealPlace): LinkTarget | SkipReason {
    const target = this.#tree.realPath(native);
    if (target === undefined) return this.#isLoop(native) ? "symlink_cycle" : "symlink_broken";
    const path = this.#relativeToRoot(target);
    if (path === undefined) return "symlink_outside";
    if (isProtected(path)) return "protected";
    const stat = this.#tree.stat(target);
    if (stat === undefined) return "symlink_broken";
    if (target.includes(REPLACEMENT) && !this.#leadsTo(native, stat)) return "invalid_name";
    const { kind } = stat;
    if (kind === "file") return { kind, native: target, place: { path, linksIn: holder.linksIn } };
    if (kind !== "directory") return "not_a_file";
    const linksIn = [...holder.linksIn, holder.path];
    // A folder that holds a link on the way here would be entered again from inside itself.
    if (linksIn.length > NESTED_LINKS_MAX || linksIn.some((place) => isWithin(place, path))) return "symlink_cycle";
    return { kind, native: target, place: { path, linksIn } };
  }

  /** False when the real path, as far as it can be written, is that of something else. */
  #leadsTo(native: string, { inode, device }: FileStat): boolean {
    const stat = this.#tree.stat(native);
    return stat?.inode === inode && stat.device === device;
  }

  /** A link that leads to itself has no real path, and cannot be looked at either. */
  #isLoop(native: string): boolean {
    try {
      this.#tree.stat(native);
      return false;
    } catch {
      return true;
    }
  }

  /** `target` below the root with `/` between segments; undefined when it lies elsewhere. */
  #relativeToRoot(target: string): RelativePath | undefined {
    const windows = /^(?:[A-Za-z]:|\\)/.test(this.#root);
    const root = windows ? this.#root.replaceAll("\\", "/") : this.#root;
    const path = windows ? target.replaceAll("\\", "/") : target;
    if (path === root) return "";
    const base = root.endsWith("/") ? root : `${root}/`;
    return path.startsWith(base) ? path.slice(base.length) : undefined;
  }
}
