import { SyncError } from "../core/errors.ts";
import type { NewHasher } from "../core/hash.ts";
import { manifestChecksum } from "../manifest/checksum.ts";
import { decodeCacheFile } from "../manifest/decode-manifest.ts";
import { encodeCacheFile } from "../manifest/encode-manifest.ts";
import type { Manifest } from "../manifest/manifest.ts";
import type { Files } from "../platform/contract.ts";

/** `cache/cloud/manifests/<service>/<snapshot>.json`: what was last published, for dry runs that cannot reach the remote. */
export interface ManifestCache {
  /** undefined when there is none. @throws SyncError `manifest_malformed`, `manifest_checksum`, `file_unreadable` */
  load(service: string, snapshot: string): Promise<Manifest | undefined>;
  /** Writes nothing where that is there already. @param checksum of `manifest`, where it is known */
  save(service: string, snapshot: string, manifest: Manifest, checksum?: string): Promise<void>;
}

/** The cache below the workspace `root`. */
export function fileManifestCache(files: Files, root: string, newHasher: NewHasher): ManifestCache {
  const pathOf = (service: string, snapshot: string) =>
    files.join(root, "cache", "cloud", "manifests", service, `${snapshot}.json`);
  return {
    load: async (service, snapshot) => {
      const bytes = await files.readBytes(pathOf(service, snapshot));
      if (bytes === undefined) return undefined;
      const cached = await decodeCacheFile(bytes, newHasher);
      if (cached.manifest.name !== snapshot) {
        throw new SyncError("manifest_malformed", "the cached manifest is of another snapshot; delete it");
      }
      return cached.manifest;
    },
    save: async (service, snapshot, manifest, known) => {
      const checksum = known ?? (await manifestChecksum(manifest, newHasher));
      const path = pathOf(service, snapshot);
      if (await holds(files, path, encodeCacheFile(service, checksum, manifest))) return;
      const writer = await files.createAtomic(path);
      try {
        for (const chunk of encodeCacheFile(service, checksum, manifest)) await writer.write(chunk);
      } catch (error) {
        await writer.abort();
        throw error;
      }
      await writer.commit();
    },
  };
}

/** True when the file at `path` is `chunks`, byte for byte. A file of another manifest differs in the first one. */
async function holds(files: Files, path: string, chunks: Iterable<Uint8Array>): Promise<boolean> {
  try {
    const handle = await files.openRead(path);
    try {
      let length = 0;
      for (const chunk of chunks) {
        const there = await handle.read(length, chunk.byteLength);
        length += chunk.byteLength;
        if (!isSame(there, chunk)) return false;
      }
      return (await handle.stat()).size === length;
    } finally {
      await handle.close();
    }
  } catch {
    // Missing, or nothing that can be read: to write it says more.
    return false;
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.byteLength !== b.byteLength) return false;
  for (let at = 0; at < a.byteLength; at++) if (a[at] !== b[at]) return false;
  return true;
}
