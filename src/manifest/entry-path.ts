/** UTF-16 units; the longest path Linux takes is 4,096 bytes. */
export const ENTRY_PATH_LENGTH_MAX = 4_096;

/** An empty segment, `.` or `..` anywhere (a leading or trailing `/` makes an empty one), or a NUL. */
const FORBIDDEN = /(?:^|\/)\.{0,2}(?:\/|$)|\0/;

/**
 * Why `path` cannot be the path of a manifest entry, or undefined when it can. Looser than an include path of a
 * request: a file on Linux may hold a backslash or start with `c:`, and what exists must be recorded as it is named.
 */
export function entryPathFault(path: string): string | undefined {
  if (path.length > ENTRY_PATH_LENGTH_MAX) return `is longer than ${ENTRY_PATH_LENGTH_MAX} characters`;
  if (!path.isWellFormed()) return "is not valid Unicode";
  if (!FORBIDDEN.test(path)) return undefined;
  if (path.includes("\0")) return "holds a NUL character";
  if (path.startsWith("/")) return "is absolute";
  return path.split("/").includes("..") ? "holds '..'" : "holds an empty segment or '.'";
}
