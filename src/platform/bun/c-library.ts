import { dlopen, type FFIFunction, type Library } from "bun:ffi";
import process from "node:process";

/** The C library's name with glibc, and with musl. */
const NAMES = ["libc.so.6", `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`];

/** Functions of the C library; undefined anywhere but on Linux, and where it cannot be called or lacks one of them. */
export function cLibrary<const Functions extends Record<string, FFIFunction>>(
  functions: Functions,
): Library<Functions>["symbols"] | undefined {
  if (process.platform !== "linux") return undefined;
  for (const name of NAMES) {
    try {
      return dlopen(name, functions).symbols;
    } catch {
      // The next one, if there is one.
    }
  }
  return undefined;
}
