import { availableParallelism } from "node:os";
import { pipeline, Readable } from "node:stream";
import { promisify } from "node:util";
import {
  constants,
  crc32,
  createInflateRaw,
  deflateRaw,
  deflateRawSync,
  inflateRaw,
  inflateRawSync,
  type ZlibOptions,
} from "node:zlib";
import type { Compression, DeflateOptions } from "../contract.ts";

/** Bytes in one chunk of an inflated stream. */
const STREAM_CHUNK_BYTES = 262_144;

const deflateInPool: (bytes: Uint8Array, options: ZlibOptions) => Promise<Uint8Array> = promisify(deflateRaw);
const inflateInPool: (bytes: Uint8Array, options: InflateOptions) => Promise<unknown> = promisify(inflateRaw);

interface InflateOptions {
  readonly maxOutputLength: number;
  readonly chunkSize: number;
  readonly info: true;
}

/** node:zlib, which Bun and Deno carry alike; its asynchronous calls run in the runtime's thread pool. */
export const nodeCompression: Compression = {
  parallelism: availableParallelism(),
  crc32: (bytes, seed = 0) => crc32(bytes, seed),
  deflateNow: (bytes, options) => deflateRawSync(bytes, { ...zlibOptions(options), windowBits: windowBits(bytes) }),
  deflate: (bytes, options) => deflateInPool(bytes, zlibOptions(options)),
  inflateNow: (bytes, size) => {
    try {
      return wholeOrNothing(inflateRawSync(bytes, inflateOptions(size)), bytes.byteLength, size);
    } catch {
      return undefined;
    }
  },
  inflate: async (bytes, size) => {
    try {
      return wholeOrNothing(await inflateInPool(bytes, inflateOptions(size)), bytes.byteLength, size);
    } catch {
      return undefined;
    }
  },
  inflateStream,
};

function zlibOptions({ level, dictionary, more }: DeflateOptions): ZlibOptions {
  return {
    level,
    ...(dictionary === undefined ? {} : { dictionary }),
    ...(more ? { finishFlush: constants.Z_SYNC_FLUSH } : {}),
  };
}

/** No more window than a small piece can use: clearing the whole one costs as much as compressing 2 KiB. */
function windowBits({ byteLength }: Uint8Array): number {
  // Zlib looks back less than its window by 262 bytes.
  return Math.min(15, Math.max(9, Math.ceil(Math.log2(byteLength + 262))));
}

/** One byte more than there should be, so that a longer stream shows itself; the least that zlib takes is 64. */
function inflateOptions(size: number): InflateOptions {
  return { maxOutputLength: size + 1, chunkSize: Math.max(64, size + 1), info: true };
}

/** With `info` zlib answers `{buffer, engine}`, which its types do not say; `engine.bytesWritten` is the input it used. */
function wholeOrNothing(answer: unknown, used: number, size: number): Uint8Array | undefined {
  const { buffer, engine } = answer as {
    readonly buffer: Uint8Array;
    readonly engine: { readonly bytesWritten: number };
  };
  return buffer.byteLength === size && engine.bytesWritten === used ? buffer : undefined;
}

async function* inflateStream(
  source: AsyncIterable<Uint8Array>,
  compressedSize: number,
  size: number,
): AsyncGenerator<Uint8Array, boolean> {
  const inflate = createInflateRaw({ chunkSize: STREAM_CHUNK_BYTES });
  let sourceFault: { readonly error: unknown } | undefined;
  const watched = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield* source;
    } catch (error) {
      sourceFault = { error };
      throw error;
    }
  };
  // Its errors arrive at the loop below as well.
  pipeline(Readable.from(watched(), { objectMode: true, highWaterMark: 2 }), inflate, () => undefined);
  let total = 0;
  try {
    for await (const chunk of inflate as AsyncIterable<Uint8Array>) {
      total += chunk.byteLength;
      if (total > size) return false;
      yield chunk;
    }
  } catch {
    if (sourceFault !== undefined) throw sourceFault.error;
    return false;
  } finally {
    inflate.destroy();
  }
  return total === size && inflate.bytesWritten === compressedSize;
}
