import { SyncError } from "../core/errors.ts";
import { checkSnapshotName, type RelativePath, relativePathFault } from "../core/paths.ts";

/**
 * The tree layout (interop format, shared with the Python studio): each file under its own path, so that any S3 tool
 * finds it. Objects `<prefix>/<snapshot>/<path>`, manifest `<prefix>/manifests/<snapshot>.json`. What is beside a
 * manifest starts with a dot, as no snapshot does: `nightly.run` is a good name for one.
 */
export interface TreeLayout {
  readonly snapshot: string;
  /** Every object of the snapshot has a key that starts so. */
  readonly objectPrefix: string;
  readonly manifestKey: string;
  /** Says that a run is under way or ended early: the objects may differ from the published manifest. */
  readonly markerKey: string;
  /** Held by the run that may write the snapshot. */
  readonly leaseKey: string;
  objectKey(path: RelativePath): string;
  /** The path of an object's key; undefined for a key outside the snapshot. */
  pathOf(key: string): RelativePath | undefined;
}

/** @throws SyncError `bad_snapshot`; `bad_path` for a prefix that is absolute or holds `..` */
export function createTreeLayout(prefix: string, snapshot: string): TreeLayout {
  checkSnapshotName(snapshot);
  const folder = prefix.replace(/\/+$/, "");
  const fault = folder === "" ? undefined : relativePathFault(folder);
  if (fault !== undefined) throw new SyncError("bad_path", `the destination's prefix ${fault}`);
  const base = folder === "" ? "" : `${folder}/`;
  const objectPrefix = `${base}${snapshot}/`;
  return {
    snapshot,
    objectPrefix,
    manifestKey: `${base}manifests/${snapshot}.json`,
    markerKey: `${base}manifests/.${snapshot}.run.json`,
    leaseKey: `${base}manifests/.${snapshot}.lease.json`,
    objectKey: (path) => objectPrefix + path,
    pathOf: (key) => (key.startsWith(objectPrefix) ? key.slice(objectPrefix.length) : undefined),
  };
}
