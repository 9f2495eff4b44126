import { SyncError, throwIfAborted } from "../../core/errors.ts";
import type { Capabilities, ObjectInfo, OpenProvider, Provider, ProviderContext } from "../contract.ts";
import { Catalog } from "./catalog.ts";
import { discardDeadClaims } from "./claims.ts";
import { putConditionally } from "./conditional-put.ts";
import { DriveConnection } from "./connection.ts";
import { type CopyOrder, copyFile, moveFile } from "./copy.ts";
import type { DriveFile } from "./drive-file.ts";
import { DriveFiles } from "./drive-files.ts";
import { driveEndpoints } from "./endpoints.ts";
import { getObject } from "./get.ts";
import { IdPool } from "./id-pool.ts";
import { KeyLocks } from "./key-locks.ts";
import { DRIVE_LIMITS, type DriveLimits } from "./limits.ts";
import { type DrivePlace, placeOf } from "./names.ts";
import { PendingIds } from "./pending-ids.ts";
import { RecentFiles } from "./recent-files.ts";
import { Deletion } from "./remove.ts";
import { type DriveSettings, readDriveSettings } from "./settings.ts";
import { type StoreTools, storeContent, writableFile } from "./store.ts";

/**
 * Opens a folder of Google Drive; sends nothing yet. `settings` as in settings.ts: the key is in them or nowhere.
 * @throws SyncError `provider_config`, `credentials_missing`
 */
export const openProvider: OpenProvider = async (settings, context) =>
  openDriveProvider(readDriveSettings(settings), context);

/** The same for checked settings and limits of its own. */
export function openDriveProvider(
  settings: DriveSettings,
  context: ProviderContext,
  limits: DriveLimits = DRIVE_LIMITS,
): Provider {
  const connection = new DriveConnection(settings, driveEndpoints(context.testDriveUrl), limits, context);
  const files = new DriveFiles(connection);
  const recent = new RecentFiles(context, `${settings.parentId}/${settings.manifestParentId}/${settings.base}`);
  const catalog = new Catalog(connection, files, recent);
  const deletion = new Deletion(connection, catalog, recent);
  const locks = new KeyLocks();
  const name = crypto.randomUUID();
  const tools: StoreTools = {
    connection,
    files,
    catalog,
    ids: new IdPool(files),
    pending: new PendingIds(),
    recent,
    writer: async () => (await context.writer?.()) ?? name,
  };
  const placeFor = (key: string): DrivePlace => {
    const place = placeOf(key, settings.base);
    if (typeof place === "string") throw new SyncError("key_invalid", `the key ${place}`);
    return place;
  };
  const copyOrder = (from: string, to: string, ifVersion: string | undefined, signal: AbortSignal | undefined) => {
    throwIfAborted(signal);
    return { from, fromPlace: placeFor(from), to, toPlace: placeFor(to), ifVersion, signal } satisfies CopyOrder;
  };

  return {
    service: "gdrive",
    identity: `gdrive:${settings.parentId}/${settings.manifestParentId}`,
    capabilities: capabilitiesOf(limits),
    keyFault: (key) => {
      const place = placeOf(key, settings.base);
      return typeof place === "string" ? place : undefined;
    },
    put: async (key, source, options) => {
      throwIfAborted(options.signal);
      const place = placeFor(key);
      if (source.size > limits.objectBytesMax)
        throw new SyncError("provider_unsupported", "the file is larger than the 5 TiB that Drive takes");
      const order = { key, place, source, options };
      const { precondition, signal } = options;
      const file = await locks.holding(key, signal, async () => {
        if (precondition !== undefined) return await putConditionally(tools, order, precondition);
        const seen = await catalog.locateToWrite(key, place, signal);
        return await storeContent(tools, { ...order, existing: await writableFile(tools, seen, place, signal) });
      });
      return infoOf(key, file);
    },
    get: async (key, options = {}) => {
      throwIfAborted(options.signal);
      return await getObject(connection, catalog, key, placeFor(key), options);
    },
    stat: async (key, { signal } = {}) => {
      throwIfAborted(signal);
      const file = await catalog.locate(key, placeFor(key), signal);
      return file === undefined ? undefined : infoOf(key, file);
    },
    list: async function* (prefix, { signal } = {}) {
      throwIfAborted(signal);
      for (const [key, file] of await catalog.list(prefix, signal)) {
        throwIfAborted(signal);
        yield infoOf(key, file);
      }
    },
    delete: async (keys, { signal } = {}) => {
      throwIfAborted(signal);
      return await deletion.delete(keys, signal);
    },
    copy: async (from, to, { ifVersion, signal }) => {
      const order = copyOrder(from, to, ifVersion, signal);
      return infoOf(to, await locks.holding(to, signal, () => copyFile(tools, deletion, order)));
    },
    move: async (from, to, { ifVersion, signal }) => {
      const order = copyOrder(from, to, ifVersion, signal);
      return infoOf(to, await locks.holding(to, signal, () => moveFile(tools, deletion, order)));
    },
    recall: (versions) => catalog.recall(versions),
    notices: () => noticesOf(catalog),
    unfinished: {
      // Drive has no call that lists uploads or ends one; it drops them by itself after a week. Claims stay.
      discard: (records) => records.clear(),
      discardOthers: (_prefix, _recordsOf, { signal } = {}) => discardDeadClaims(tools, signal),
    },
    close: async () => {
      connection.close();
      await recent.close();
    },
  };
}

function capabilitiesOf(limits: DriveLimits): Capabilities {
  return {
    conditionalPut: true,
    conditionalPutCaveat:
      "Google Drive has no conditional writes: runs of two machines are kept apart by files that each can see, but two that " +
      "begin to write a new snapshot within the seconds that Drive's search lags behind may both go ahead, and other tools " +
      "that write to the folder are not kept out",
    serverSideCopy: true,
    serverSideMove: true,
    listsSha256: true,
    hierarchicalKeys: false,
    deleteBatchMax: limits.deleteBatchMax,
    objectBytesMax: limits.objectBytesMax,
  };
}

function infoOf(key: string, { size = 0, version, sha256 }: DriveFile): ObjectInfo {
  return { key, size, version, ...(sha256 === undefined ? {} : { sha256 }) };
}

function noticesOf({ doubled, legacy }: Catalog): readonly string[] {
  const notices: string[] = [];
  if (doubled.length > 0) {
    notices.push(
      `the Drive folder has more than one file for ${doubled.length} path(s): ${doubled.slice(0, 3).join(", ")}. The one ` +
        "changed last counts; delete the others in Drive",
    );
  }
  if (legacy.kept > 0) {
    notices.push(
      `${legacy.kept} file(s) that the Python studio stored were left as they are, since several snapshots in the folder may ` +
        "mean them; give each snapshot a folder of its own",
    );
  }
  return notices;
}
