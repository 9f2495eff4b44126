import type { FileStat, TreeListing, TreeReader } from "../../src/platform/contract.ts";

const FILES_PER_FOLDER = 1_000;

/** In one piece, as a file system gives it: a string put together keeps its pieces. */
function flat(text: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(text));
}

/** `count` files of a kilobyte below `/synthetic` that exist nowhere: what is left is the scan's own cost. */
export function syntheticTree(count: number): TreeReader {
  const stat = (kind: "file" | "directory"): FileStat => {
    return { kind, size: kind === "file" ? 1_000 : 0, mtimeNs: 1n, ctimeNs: 1n, inode: 1n, device: 1n, mode: 0o644 };
  };
  const names = (total: number, prefix: string) =>
    Array.from({ length: total }, (_, k) => flat(`${prefix}${String(k).padStart(4, "0")}`));
  const glance = () => ({ isFile: () => true, size: 1_000, mtimeMs: 1e-6, ctimeMs: 1e-6, ino: 1 });
  const nothing: TreeListing = { files: [], folders: [], symlinks: [], others: [], invalid: [] };
  return {
    list: (folder) =>
      folder === "/synthetic"
        ? { ...nothing, folders: names(Math.ceil(count / FILES_PER_FOLDER), "chapter-") }
        : { ...nothing, files: names(Math.min(count, FILES_PER_FOLDER), "frame-") },
    lstat: () => stat("file"),
    glance,
    // The workspace has no vault.
    stat: (path) => (path === "/synthetic" ? stat("directory") : undefined),
    realPath: (path) => path,
    open: () => {
      let left = 1_000;
      return {
        stat: () => stat("file"),
        glance,
        read: () => {
          const read = left;
          left = 0;
          return read;
        },
        close: () => undefined,
      };
    },
  };
}
