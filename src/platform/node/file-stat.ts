import type { BigIntStats, Dirent, Stats } from "node:fs";
import type { FileKind, FileStat } from "../contract.ts";

/** Of a stat or of a folder's entry. */
export function fileKind(of: BigIntStats | Dirent | Stats): FileKind {
  if (of.isFile()) return "file";
  if (of.isDirectory()) return "directory";
  if (of.isSymbolicLink()) return "symlink";
  return "other";
}

export function fileStat(stats: BigIntStats): FileStat {
  return {
    kind: fileKind(stats),
    size: Number(stats.size),
    mtimeNs: stats.mtimeNs,
    ctimeNs: stats.ctimeNs,
    inode: stats.ino,
    device: stats.dev,
    mode: Number(stats.mode) & 0o7777,
  };
}
