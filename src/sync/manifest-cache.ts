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
  /** @param checksum of `manifest`, where it is known */
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
      const writer = await files.createAtomic(pathOf(service, snapshot));
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
