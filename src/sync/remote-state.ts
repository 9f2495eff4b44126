import type { RelativePath } from "../core/paths.ts";
import { orderedEntries } from "../manifest/entries-in-order.ts";
import type { Manifest, ManifestEntry } from "../manifest/manifest.ts";
import type { ObjectInfo, Provider } from "../providers/contract.ts";
import { type FetchedManifest, fetchManifest } from "./published-manifest.ts";
import { UNKNOWN_SHA256 } from "./plan.ts";
import type { ArrivedObject } from "./run-journal.ts";
import { type FetchedMarker, fetchMarker, type RunMarker } from "./run-marker.ts";
import type { TreeLayout } from "./tree-layout.ts";

/** What the destination really holds, as far as it is known: what plans are made against. */
export interface RemoteState {
  /** As published; undefined before the first run. */
  readonly published: FetchedManifest | undefined;
  /** The published entries corrected by what an interrupted run has left. Undefined before the first run. */
  readonly effective: Manifest | undefined;
  /** Versions of effective entries, where known. */
  readonly versions: ReadonlyMap<RelativePath, string>;
  /** Left by a run that began and did not publish; one whose run did names nothing. */
  readonly marker: FetchedMarker | undefined;
  /** Versions are known that the published manifest lacks: worth publishing, though nothing has changed. */
  readonly learnt: boolean;
}

/**
 * Reads the published manifest and the run marker (two requests). After an interrupted run also lists the snapshot's
 * objects: entries whose object is gone or has another version are corrected, by the journal where it knows better, or
 * by the store's own digests. Where it has those, entries that another tool published are looked at in the same way.
 * @throws SyncError `remote_manifest_invalid`, and whatever the provider throws
 */
export async function loadRemoteState(
  provider: Provider,
  layout: TreeLayout,
  readArrived: () => Promise<ReadonlyMap<RelativePath, ArrivedObject>>,
  signal?: AbortSignal,
): Promise<RemoteState> {
  const call = signal === undefined ? {} : { signal };
  const [published, found] = await Promise.all([
    fetchManifest(provider, layout, signal),
    fetchMarker(provider, layout, signal),
  ]);
  const isDone = found !== undefined && found.objectVersion === published?.markerVersion;
  const marker = isDone ? { ...found, touched: new Set<RelativePath>() } : found;
  provider.recall?.(keysOf(layout, published?.versions ?? new Map()));
  const provable = provider.capabilities.listsSha256 === true && hasUnproven(published);
  if ((marker === undefined || isDone) && (published?.deleting.size ?? 0) === 0 && !provable) {
    const versions = published?.versions ?? new Map<RelativePath, string>();
    return { published, effective: published?.manifest, versions, marker, learnt: false };
  }
  const arrived = await readArrived();
  provider.recall?.(keysOf(layout, versionsOf(arrived)));
  const listed = new Map<RelativePath, ObjectInfo>();
  for await (const info of provider.list(layout.objectPrefix, call)) {
    const path = layout.pathOf(info.key);
    if (path !== undefined) listed.set(path, info);
  }
  const state = reconcile({ published, marker, listed, arrived }, layout.snapshot);
  const learnt = [...state.versions.keys()].some((path) => published?.versions.has(path) !== true);
  return { published, ...state, marker, learnt };
}

function* keysOf(layout: TreeLayout, versions: ReadonlyMap<RelativePath, string>): Iterable<readonly [string, string]> {
  for (const [path, version] of versions) yield [layout.objectKey(path), version];
}

function versionsOf(arrived: ReadonlyMap<RelativePath, ArrivedObject>): ReadonlyMap<RelativePath, string> {
  return new Map([...arrived].map(([path, { version }]) => [path, version]));
}

/** True when an entry has no version: another tool has published, or stored the object. */
function hasUnproven(published: FetchedManifest | undefined): boolean {
  if (published === undefined) return false;
  for (const path of published.manifest.entries.keys()) if (!published.versions.has(path)) return true;
  return false;
}

interface Evidence {
  readonly published: FetchedManifest | undefined;
  readonly marker: RunMarker | undefined;
  readonly listed: ReadonlyMap<RelativePath, ObjectInfo>;
  readonly arrived: ReadonlyMap<RelativePath, ArrivedObject>;
}

/** The entries that the listing bears out; pure. An object that no record knows was put there by a foreign tool and is left alone. */
function reconcile(evidence: Evidence, snapshot: string): Pick<RemoteState, "effective" | "versions"> {
  const { published, marker, listed, arrived } = evidence;
  const entries: ManifestEntry[] = [];
  const versions = new Map<RelativePath, string>();
  for (const [path, { version, size, sha256 }] of listed) {
    const entry = published?.manifest.entries.get(path);
    const record = arrived.get(path);
    if (entry !== undefined && published?.versions.get(path) === version) {
      entries.push(entry);
      versions.set(path, version);
    } else if (record?.version === version && record.size === size) {
      entries.push({ path, size, mtime: entry?.mtime ?? 0, sha256: record.sha256 });
      versions.set(path, version);
    } else if (sha256 !== undefined && isOurs(evidence, path)) {
      entries.push({ path, size, mtime: entry?.mtime ?? 0, sha256 });
      versions.set(path, version);
    } else if (
      entry !== undefined &&
      !published?.versions.has(path) &&
      entry.size === size &&
      !marker?.touched.has(path)
    ) {
      // Stored by another tool, which recorded no version, and no run of ours came near it.
      entries.push(entry);
    } else if (isOurs(evidence, path)) {
      entries.push({ path, size, mtime: entry?.mtime ?? 0, sha256: UNKNOWN_SHA256 });
    }
  }
  const base = published?.manifest ?? { name: snapshot, root: "", created_at: "", entries: new Map() };
  return { effective: { ...base, entries: orderedEntries(entries) }, versions };
}

/** Some record of the snapshot names the path. */
function isOurs({ published, marker }: Evidence, path: RelativePath): boolean {
  const named = published?.manifest.entries.has(path) === true || published?.deleting.has(path) === true;
  return named || marker?.touched.has(path) === true;
}
