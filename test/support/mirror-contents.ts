/** What snapshot `default` of a memory store claims to hold, and what it holds: each as `path sha256`. */
import { createHash } from "node:crypto";
import type { Workspace } from "./workspace.ts";

/** The files of the published manifest. */
export function published({ store }: Workspace): string[] {
  const text = new TextDecoder().decode(store.objects.get("manifests/default.json")?.bytes);
  const { manifest } = JSON.parse(text) as { manifest: { entries: Record<string, { sha256: string }> } };
  return Object.entries(manifest.entries).map(([path, { sha256 }]) => `${path} ${sha256}`);
}

/** The objects, in order of their paths, which is the manifest's. */
export function stored({ store }: Workspace): string[] {
  return [...store.objects]
    .filter(([key]) => key.startsWith("default/"))
    .map(([key, { bytes }]) => `${key.slice("default/".length)} ${createHash("sha256").update(bytes).digest("hex")}`)
    .toSorted();
}

/** Counts the listings that runs of the workspace ask for from now on. */
export function countListings(workspace: Workspace): () => number {
  const inner = workspace.wrap;
  let listings = 0;
  workspace.wrap = (provider) => {
    const wrapped = inner(provider);
    return {
      ...wrapped,
      list: (...args) => {
        listings++;
        return wrapped.list(...args);
      },
    };
  };
  return () => listings;
}
