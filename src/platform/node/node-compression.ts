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
  type ZlibOptions,
} from "node:zlib";
import type { Compression, DeflateOptions } from "../contract.ts";
import { GzipGroup, inflateRawNow } from "./inflate-group.ts";
import { type InflateOptions, inflateOptions, wholeOrNothing } from "./zlib-answer.ts";

/** Bytes in one chunk of an inflated stream. */
const STREAM_CHUNK_BYTES = 262_144;

const deflateInPool: (bytes: Uint8Array, options: ZlibOptions) => Promise<Uint8Array> = promisify(deflateRaw);
const inflateInPool: (bytes: Uint8Array, options: InflateOptions) => Promise<unknown> = promisify(inflateRaw);

/** node:zlib, which Bun and Deno carry alike; its asynchronous calls run in the runtime's thread pool. */
export const nodeCompression: Compression = {
  parallelism: availableParallelism(),
  crc32: (bytes, seed = 0) => crc32(bytes, seed),
  deflateNow: (bytes, options) => deflateRawSync(bytes, { ...zlibOptions(options), windowBits: windowBits(bytes) }),
  deflate: (bytes, options) => deflateInPool(bytes, zlibOptions(options)),
  inflateNow: inflateRawNow,
  newInflateGroup: (pieceBytesMax) => new GzipGroup(pieceBytesMax),
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
