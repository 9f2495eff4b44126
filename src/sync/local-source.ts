import { SyncError } from "../core/errors.ts";
import type { Files } from "../platform/contract.ts";
import type { ByteSource } from "../providers/contract.ts";

/**
 * A workspace file as the source of an upload. It fails as `file_changed` when the file is no longer as long as the
 * manifest says; other changes are caught by the provider, which stores only bytes of the manifest's hash.
 */
export function localSource(files: Files, nativePath: string, size: number): ByteSource {
  return {
    size,
    open: async () => {
      const handle = await files.openRead(nativePath);
      const changed = () =>
        new SyncError("file_changed", "the file changed after it was hashed; the next run uploads it as it is then");
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
        close: () => handle.close(),
      };
    },
  };
}
