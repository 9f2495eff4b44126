import type { FileStat } from "../../platform/contract.ts";
import type { ObjectInfo } from "../contract.ts";

/**
 * A file's version: modification time, size and inode. A hash would cost a listing the reading of every byte. It is
 * honest because each put brings a new inode and a time that is later than the old file's by more than any file
 * system's clock step; it does not see a write in place by another program that keeps size and time.
 */
export function versionOf(stat: FileStat): string {
  return [stat.mtimeNs, BigInt(stat.size), stat.inode].map((part) => part.toString(36)).join("-");
}

export function infoOf(key: string, stat: FileStat): ObjectInfo {
  return { key, size: stat.size, version: versionOf(stat) };
}
