import { SyncError } from "../core/errors.ts";
import type { Files, TreeFile, TreeReader } from "../platform/contract.ts";
import type { ByteSource, OpenSource } from "../providers/contract.ts";

/**
 * A file of at most so many bytes is read at once and synchronously: four asynchronous calls a file cost ten times what
 * its bytes do, and a few hundred microseconds hold nobody up.
 */
const READ_AT_ONCE_BYTES_MAX = 256 * 1024;

/**
 * A workspace file as the source of an upload. It fails as `file_changed` when the file is no longer as long as the
 * manifest says; other changes are caught by the provider, which stores only bytes of the manifest's hash.
 */
export function localSource(files: Files, tree: TreeReader, nativePath: string, size: number): ByteSource {
  return {
    size,
    open: async () =>
      size <= READ_AT_ONCE_BYTES_MAX ? openSmall(tree, nativePath, size) : await openLarge(files, nativePath, size),
  };
}

function openSmall(tree: TreeReader, nativePath: string, size: number): OpenSource {
  const file = tree.open(nativePath, { followSymlink: true });
  try {
    const stat = file.stat();
    if (stat.kind !== "file") throw new SyncError("file_unreadable", "it is not a regular file any more");
    if (stat.size !== size) throw changed();
  } catch (error) {
    file.close();
    throw error;
  }
  return {
    read: async (offset, length) => {
      const bytes = new Uint8Array(length);
      fill(file, offset, bytes);
      return bytes;
    },
    readInto: async (offset, into) => fill(file, offset, into),
    close: async () => file.close(),
  };
}

function fill(file: TreeFile, offset: number, into: Uint8Array): void {
  for (let done = 0; done < into.length; ) {
    const count = file.read(into.subarray(done), offset + done);
    if (count === 0) throw changed();
    done += count;
  }
}

async function openLarge(files: Files, nativePath: string, size: number): Promise<OpenSource> {
  const handle = await files.openRead(nativePath);
  try {
    if ((await handle.stat()).size !== size) throw changed();
  } catch (error) {
    await handle.close();
    throw error;
  }
  return {
    read: async (offset, length) => {
      const bytes = await handle.read(offset, length);
      if (bytes.byteLength !== length) throw changed();
      return bytes;
    },
    readInto: async (offset, into) => {
      if ((await handle.readInto(offset, into)) !== into.byteLength) throw changed();
    },
    close: () => handle.close(),
  };
}

function changed(): SyncError {
  return new SyncError("file_changed", "the file changed after it was hashed; the next run uploads it as it is then");
}
