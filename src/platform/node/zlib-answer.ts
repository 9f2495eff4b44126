/** What zlib's calls for whole buffers are asked for here. */
export interface InflateOptions {
  readonly maxOutputLength: number;
  readonly chunkSize: number;
  readonly info: true;
}

/** One byte more than there should be, so that a longer stream shows itself; the least that zlib takes is 64. */
export function inflateOptions(size: number): InflateOptions {
  return { maxOutputLength: size + 1, chunkSize: Math.max(64, size + 1), info: true };
}

/**
 * With `info` zlib answers `{buffer, engine}`, which its types do not say; `engine.bytesWritten` is the input it used.
 * Undefined when that is not all, or when there is more or less than `size` bytes.
 */
export function wholeOrNothing(answer: unknown, used: number, size: number): Uint8Array | undefined {
  const { buffer, engine } = answer as {
    readonly buffer: Uint8Array;
    readonly engine: { readonly bytesWritten: number };
  };
  return buffer.byteLength === size && engine.bytesWritten === used ? buffer : undefined;
}
