import type { LinkOpenFile } from "../node/new-file.ts";
import { cLibrary } from "./c-library.ts";

const AT_FDCWD = -100;
const AT_SYMLINK_FOLLOW = 0x400;
/** A path below /proc, or a name: 255 bytes at most. */
const TEXT_BYTES_MAX = 1_024;

/**
 * linkat(2) with AT_SYMLINK_FOLLOW, the one call that names an open file which has none; node:fs and Bun have none that
 * leads to it. Why it failed is not told: Bun has no way to ask that nothing can come between. Undefined anywhere but on
 * Linux, and where the C library cannot be called.
 */
export function bunLink(): LinkOpenFile | undefined {
  const library = cLibrary({ linkat: { args: ["i32", "ptr", "i32", "ptr", "i32"], returns: "i32" } });
  if (library === undefined) return undefined;
  return linkBy((from, folder, to) => library.linkat(AT_FDCWD, from, folder, to, AT_SYMLINK_FOLLOW) === 0);
}

function linkBy(linkat: (from: Uint8Array, folder: number, to: Uint8Array) => boolean): LinkOpenFile {
  const from = new Uint8Array(TEXT_BYTES_MAX);
  const to = new Uint8Array(TEXT_BYTES_MAX);
  return (file, folder, name) =>
    putText(`/proc/self/fd/${file}`, from) && putText(name, to) && linkat(from, folder, to);
}

const encoder = new TextEncoder();

/** As C has it, ended by a zero; false for what would be cut. */
function putText(text: string, into: Uint8Array): boolean {
  if (text.includes("\0")) return false;
  const { read, written } = encoder.encodeInto(text, into.subarray(0, TEXT_BYTES_MAX - 1));
  into[written] = 0;
  return read === text.length;
}
