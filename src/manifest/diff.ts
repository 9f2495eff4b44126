import { compareCodePoints } from "../core/code-point.ts";
import type { RelativePath } from "../core/paths.ts";
import { entriesInOrder } from "./entries-in-order.ts";
import type { Manifest, ManifestEntry } from "./manifest.ts";

/** One line of a plan (interop format). */
export interface SyncChange {
  readonly action: "upload" | "delete" | "skip";
  readonly path: RelativePath;
  /** Bytes. */
  readonly size?: number;
  readonly sha256?: string;
  readonly reason?: "missing_remote" | "content_mismatch" | "missing_local";
}

/** What would make the remote equal to the local tree (interop format, and `retained`). Lists are by code point of the path. */
export interface ManifestDiff {
  readonly service: string;
  readonly snapshot: string;
  readonly uploads: readonly SyncChange[];
  readonly deletes: readonly SyncChange[];
  readonly unchanged: readonly SyncChange[];
  /** Remote entries that are not here and yet are not to be deleted. They stay in the published manifest. */
  readonly retained: readonly ManifestEntry[];
  readonly bytes_to_upload: number;
  readonly files_to_upload: number;
  readonly files_to_delete: number;
  readonly files_unchanged: number;
}

/** What becomes of a remote entry that has no local one. */
export type ClassifyMissing = (path: RelativePath) => "delete" | "retain";

const deleteAll: ClassifyMissing = () => "delete";

/**
 * The difference between two manifests; pure. Content alone decides: equal sha256 is unchanged, whatever the mtimes.
 * @param remote undefined when there is none yet: everything is uploaded
 * @param classifyMissing default: what is not here is deleted
 */
export function diffManifests(
  service: string,
  snapshot: string,
  local: Manifest,
  remote: Manifest | undefined,
  classifyMissing: ClassifyMissing = deleteAll,
): ManifestDiff {
  const uploads: SyncChange[] = [];
  const deletes: SyncChange[] = [];
  const unchanged: SyncChange[] = [];
  const retained: ManifestEntry[] = [];
  let bytesToUpload = 0;

  const upload = ({ path, size, sha256 }: ManifestEntry, reason: "missing_remote" | "content_mismatch") => {
    uploads.push({ action: "upload", path, size, sha256, reason });
    bytesToUpload += size;
  };
  const missing = (entry: ManifestEntry) => {
    const { path, size, sha256 } = entry;
    if (classifyMissing(path) === "retain") retained.push(entry);
    else deletes.push({ action: "delete", path, size, sha256, reason: "missing_local" });
  };

  const here = entriesInOrder(local)[Symbol.iterator]();
  const there = (remote === undefined ? [] : entriesInOrder(remote))[Symbol.iterator]();
  let ours = nextOf(here);
  let theirs = nextOf(there);
  while (ours !== undefined || theirs !== undefined) {
    const order = ours === undefined ? 1 : theirs === undefined ? -1 : compareCodePoints(ours.path, theirs.path);
    if (ours !== undefined && theirs !== undefined && order === 0) {
      if (ours.sha256 === theirs.sha256) unchanged.push({ action: "skip", path: ours.path, size: ours.size });
      else upload(ours, "content_mismatch");
    } else if (ours !== undefined && order < 0) {
      upload(ours, "missing_remote");
    } else if (theirs !== undefined) {
      missing(theirs);
    }
    if (order <= 0) ours = nextOf(here);
    if (order >= 0) theirs = nextOf(there);
  }

  return {
    service,
    snapshot,
    uploads,
    deletes,
    unchanged,
    retained,
    bytes_to_upload: bytesToUpload,
    files_to_upload: uploads.length,
    files_to_delete: deletes.length,
    files_unchanged: unchanged.length,
  };
}

function nextOf(entries: Iterator<ManifestEntry>): ManifestEntry | undefined {
  const next = entries.next();
  return next.done === true ? undefined : next.value;
}
