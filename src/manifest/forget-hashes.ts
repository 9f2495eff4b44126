import type { RelativePath } from "../core/paths.ts";
import type { TreeReader } from "../platform/contract.ts";
import type { OpenHashIndex } from "./hash-index.ts";

/**
 * Has the hash index forget files whose bytes turned out to be others than it says, as after writes through a memory
 * map: their stats would be believed for ever. Costs time only when it is wrong, or cannot be done now.
 */
export type ForgetHashes = (paths: readonly RelativePath[]) => Promise<void>;

/** @param root native path of the workspace */
export function hashForgetter(tree: TreeReader, root: string, openIndex: OpenHashIndex): ForgetHashes {
  return async (paths) => {
    const index = await openIndex();
    if (index === undefined) return;
    try {
      index.forgetFiles(paths.map((path) => realPath(tree, `${root}/${path}`)).filter((path) => path !== undefined));
    } finally {
      index.close();
    }
  };
}

/** The index knows what a symlink leads to, and not the link. */
function realPath(tree: TreeReader, native: string): string | undefined {
  try {
    return tree.realPath(native);
  } catch {
    return undefined;
  }
}
