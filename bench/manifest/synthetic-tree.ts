import type { FileStat, TreeEntry, TreeReader } from "../../src/platform/contract.ts";

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
  const names = (total: number, prefix: string, kind: "file" | "directory"): TreeEntry[] =>
    Array.from({ length: total }, (_, k) => {
      return { name: flat(`${prefix}${String(k).padStart(4, "0")}`), validName: true, kind };
    });
  return {
    list: (folder) =>
      folder === "/synthetic"
        ? names(Math.ceil(count / FILES_PER_FOLDER), "chapter-", "directory")
        : names(Math.min(count, FILES_PER_FOLDER), "frame-", "file"),
    lstat: () => stat("file"),
    // The workspace has no vault.
    stat: (path) => (path === "/synthetic" ? stat("directory") : undefined),
    realPath: (path) => path,
    open: () => {
      let left = 1_000;
      return {
        stat: () => stat("file"),
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
