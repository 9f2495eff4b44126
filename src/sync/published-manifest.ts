import { SyncError } from "../core/errors.ts";
import { type NewHasher, sha256Hex } from "../core/hash.ts";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import type { RelativePath } from "../core/paths.ts";
import { decodeRemoteManifest } from "../manifest/decode-manifest.ts";
import { encodeRemoteManifest, joinChunks } from "../manifest/encode-manifest.ts";
import type { Manifest } from "../manifest/manifest.ts";
import type { Precondition, Provider } from "../providers/contract.ts";
import { bytesSource, readBody } from "./object-bytes.ts";
import type { TreeLayout } from "./tree-layout.ts";

/**
 * The manifest as the destination holds it. Beside the interop `manifest` the document carries `comfyvn_sync`, which
 * the Python studio ignores: the version of each object, so that a later run can tell whether the objects still are
 * what the manifest says without reading them.
 */
export interface PublishedManifest {
  readonly manifest: Manifest;
  /** Of objects that this product stored; absent ones were stored by another tool. */
  readonly versions: ReadonlyMap<RelativePath, string>;
  /**
   * In the store perhaps, in the manifest no more: what a run has begun to delete, and what an interrupted one left
   * outside of the scope of the run that published next.
   */
  readonly deleting: ReadonlySet<RelativePath>;
  /** Version of the run marker of the run that published: where it is still there, it tells of nothing. */
  readonly markerVersion?: string | undefined;
}

/** A published manifest, and the version of its own object: the precondition of the next publish. */
export interface FetchedManifest extends PublishedManifest {
  readonly objectVersion: string;
}

const EXTRA_KEY = "comfyvn_sync";
const FORMAT = 1;

/**
 * undefined when nothing was ever published.
 * @throws SyncError `remote_manifest_invalid` when the document is damaged: never taken for an empty destination; whatever `provider.get` throws
 */
export async function fetchManifest(
  provider: Provider,
  layout: TreeLayout,
  signal?: AbortSignal,
): Promise<FetchedManifest | undefined> {
  const content = await provider.get(layout.manifestKey, signal === undefined ? {} : { signal });
  if (content === undefined) return undefined;
  const bytes = await readBody(content);
  try {
    const { manifest, extra } = await decodeRemoteManifest(bytes, signal);
    return { manifest: { ...manifest, name: layout.snapshot }, ...readExtra(extra), objectVersion: content.version };
  } catch (error) {
    if (!(error instanceof SyncError) || error.code !== "manifest_malformed") throw error;
    throw new SyncError(
      "remote_manifest_invalid",
      `${error.message} (the published manifest of this snapshot). Nothing was changed; restore that object, or delete it to upload everything anew`,
      { cause: error },
    );
  }
}

export interface PublishTools {
  readonly newHasher: NewHasher;
  /** False where the store is known to ignore conditions: then the last writer wins. */
  readonly conditional: boolean;
  readonly signal: AbortSignal;
}

/**
 * Publishes by compare-and-swap where the store can: only over the version that this run has read.
 * @param expected version of the object read before; undefined when there was none
 * @returns the new version
 * @throws SyncError `manifest_conflict` when another writer was faster
 */
export async function publishManifest(
  provider: Provider,
  layout: TreeLayout,
  document: PublishedManifest,
  expected: string | undefined,
  { newHasher, conditional, signal }: PublishTools,
): Promise<string> {
  const bytes = await joinChunks(encodeRemoteManifest(document.manifest, writeExtra(document)), signal);
  const precondition: Precondition =
    expected === undefined ? { kind: "absent" } : { kind: "version", version: expected };
  try {
    const stored = await provider.put(layout.manifestKey, bytesSource(bytes), {
      sha256: sha256Hex(newHasher, bytes),
      contentType: "application/json",
      ...(conditional ? { precondition } : {}),
      ...(signal === undefined ? {} : { signal }),
    });
    return stored.version;
  } catch (error) {
    if (!(error instanceof SyncError) || error.code !== "precondition_failed") throw error;
    throw new SyncError(
      "manifest_conflict",
      "another machine published this snapshot during the run; run again to build on its state",
      { cause: error },
    );
  }
}

function readExtra(extra: JsonObject): Omit<PublishedManifest, "manifest"> {
  const ours = extra[EXTRA_KEY];
  const versions = new Map<RelativePath, string>();
  const deleting = new Set<RelativePath>();
  if (!isJsonObject(ours) || ours["format"] !== FORMAT) return { versions, deleting };
  if (isJsonObject(ours["versions"])) {
    for (const [path, version] of Object.entries(ours["versions"])) {
      if (typeof version === "string") versions.set(path, version);
    }
  }
  if (Array.isArray(ours["deleting"])) {
    for (const path of ours["deleting"]) if (typeof path === "string") deleting.add(path);
  }
  const marker = ours["marker"];
  return { versions, deleting, ...(typeof marker === "string" ? { markerVersion: marker } : {}) };
}

function writeExtra(document: PublishedManifest): JsonObject {
  const { versions, deleting, markerVersion } = document;
  return {
    [EXTRA_KEY]: {
      format: FORMAT,
      // fromEntries and not assignment: a file called `__proto__` is a file.
      versions: Object.fromEntries(versions),
      ...(deleting.size === 0 ? {} : { deleting: [...deleting] }),
      ...(markerVersion === undefined ? {} : { marker: markerVersion }),
    },
  };
}
