import { SyncError, throwIfAborted } from "../../core/errors.ts";
import type { Capabilities, OpenProvider } from "../contract.ts";
import { Destination } from "./destination.ts";
import { deleteObjects } from "./local-delete.ts";
import { localKeyFault, utf8Bytes } from "./local-keys.ts";
import { listObjects } from "./local-list.ts";
import { readObject } from "./local-read.ts";
import { infoOf } from "./local-version.ts";
import { LocalWriter } from "./local-write.ts";
import { Marker } from "./marker.ts";

const CAPABILITIES: Capabilities = {
  conditionalPut: true,
  serverSideCopy: true,
  hierarchicalKeys: true,
  deleteBatchMax: 100,
  objectBytesMax: Number.MAX_SAFE_INTEGER,
};

/**
 * A folder as destination, e.g. a NAS mount: a key is the path of a file below `settings.path` (absolute).
 *
 * - Files arrive under a temp name in their own folder, are compared with their SHA-256, brought to the disk and
 *   renamed.
 * - A put with a condition holds a lock of the destination from its last look to the rename, so of several such writers
 *   on any machines one wins. A put or delete without a condition does not wait for them.
 * - The folder is never made: what is not there is not mounted. The first put leaves `.comfyvn-sync/` with a marker, by
 *   which a machine with a `stateFolder` notices later that a folder is empty because its disk is missing.
 * - No symlink below the folder is followed or listed.
 *
 * @throws SyncError `provider_config`, `provider_container_missing`, `provider_unsupported` without a file system
 */
export const openProvider: OpenProvider = async (settings, { files, newHasher, pacer, stateFolder }) => {
  const path = settings["path"];
  if (typeof path !== "string" || path === "") {
    throw new SyncError(
      "provider_config",
      "the local destination needs a path: set sync.local.path in config/comfyvn.json, or cloud_sync.local.path in the " +
        "vault",
    );
  }
  if (files === undefined)
    throw new SyncError("provider_unsupported", "the local destination needs a file system; this runtime has none");

  const destination = await Destination.open(files, path);
  const marker = new Marker(destination, newHasher, stateFolder);
  await marker.check();
  const writer = new LocalWriter(destination, newHasher, pacer);
  const rules = { rootBytes: utf8Bytes(destination.root), windows: files.join("a", "b") === "a\\b" };
  const isKey = (key: string): boolean => localKeyFault(key, rules) === undefined;

  /** What precedes every write: a key that can be, the disk that was opened, and its marker. */
  const beforeWrite = async (key: string): Promise<void> => {
    const fault = localKeyFault(key, rules);
    if (fault !== undefined)
      throw new SyncError("key_invalid", `the local destination cannot hold this path: it ${fault}`);
    await destination.checkRoot();
    await marker.ensure();
  };
  /** `value`, or undefined when that is because nothing is there and not because the disk is gone. */
  const orReallyMissing = async <T>(value: T | undefined): Promise<T | undefined> => {
    if (value === undefined) await destination.checkRoot();
    return value;
  };

  return {
    service: "local",
    capabilities: CAPABILITIES,
    identity: `local:${destination.root}`,
    keyFault: (key) => localKeyFault(key, rules),

    put: async (key, source, options) => {
      throwIfAborted(options.signal);
      await beforeWrite(key);
      const info = await writer.put(key, source, options);
      await destination.checkRoot();
      return info;
    },

    get: async (key, options = {}) => {
      throwIfAborted(options.signal);
      return await orReallyMissing(isKey(key) ? await readObject(destination, key, options) : undefined);
    },

    stat: async (key, { signal } = {}) => {
      throwIfAborted(signal);
      const found = isKey(key) ? await destination.find(key) : undefined;
      return await orReallyMissing(found === undefined ? undefined : infoOf(key, found.stat));
    },

    list: async function* (prefix, { signal } = {}) {
      yield* listObjects(destination, prefix, isKey, signal);
    },

    delete: async (keys, { signal } = {}) => {
      throwIfAborted(signal);
      return await deleteObjects(destination, keys, isKey, signal);
    },

    copy: async (from, to, { ifVersion, signal }) => {
      throwIfAborted(signal);
      await beforeWrite(to);
      if (!isKey(from)) throw new SyncError("object_missing", "the object to copy does not exist");
      const info = await writer.copy(from, to, ifVersion, signal);
      await destination.checkRoot();
      return info;
    },

    close: async () => undefined,
  };
};
