import { SyncError, throwIfAborted, toSyncError } from "../../core/errors.ts";
import type { ReadHandle } from "../../platform/contract.ts";
import type { GetOptions, ObjectContent } from "../contract.ts";
import type { Destination } from "./destination.ts";
import { atDestination } from "./local-error.ts";
import { infoOf } from "./local-version.ts";

const CHUNK_BYTES = 256 * 1024;
/** A file that is replaced each time we look is replaced by somebody who never stops. */
const OPEN_TRIES_MAX = 20;

/** The file at `key`, opened: what is read is one content whole, however often the key is overwritten meanwhile. */
export async function readObject(
  destination: Destination,
  key: string,
  options: GetOptions,
): Promise<ObjectContent | undefined> {
  for (let tries = 0; tries < OPEN_TRIES_MAX; tries++) {
    const found = await destination.find(key);
    if (found === undefined) return undefined;
    const handle = await openIfThere(destination, found.path);
    if (handle === undefined) continue;
    const stat = await atDestination(() => handle.stat());
    // What was opened is what was looked at, or a symlink may have led out of the destination.
    if (stat.inode === found.stat.inode && stat.device === found.stat.device) {
      return { ...infoOf(key, stat), body: bodyOf(handle, stat.size, options) };
    }
    await handle.close();
  }
  throw new SyncError("provider_error", "the object was replaced again and again while it was opened", {
    retryable: true,
  });
}

async function openIfThere(destination: Destination, path: string): Promise<ReadHandle | undefined> {
  try {
    return await destination.files.openRead(path);
  } catch (error) {
    if (error instanceof SyncError && error.code === "file_missing") return undefined;
    return await atDestination(() => Promise.reject(error));
  }
}

function bodyOf(handle: ReadHandle, size: number, { range, signal }: GetOptions): ReadableStream<Uint8Array> {
  let offset = Math.min(range?.offset ?? 0, size);
  const end = Math.min(size, offset + (range?.length ?? size));
  const readNext = async (): Promise<Uint8Array | undefined> => {
    throwIfAborted(signal);
    if (offset >= end) return undefined;
    const chunk = await atDestination(() => handle.read(offset, Math.min(CHUNK_BYTES, end - offset)));
    if (chunk.length === 0)
      throw new SyncError("provider_error", "the object was cut short while it was read", { retryable: true });
    offset += chunk.length;
    return chunk;
  };
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        try {
          const chunk = await readNext();
          if (chunk !== undefined) return controller.enqueue(chunk);
          await handle.close();
          controller.close();
        } catch (error) {
          await handle.close();
          controller.error(toSyncError(error));
        }
      },
      cancel: () => handle.close(),
    },
    { highWaterMark: 0 },
  );
}
