/** Stands for `bun:ffi` in tests on Deno that start what Bun starts: no library can be called, as where there is none. */
export function dlopen(): never {
  throw new Error("Deno has no bun:ffi");
}

/** Asked for by nobody who has no library. */
export function ptr(): never {
  throw new Error("Deno has no bun:ffi");
}
