import { isWithin, type RelativePath } from "../core/paths.ts";
import type { Manifest } from "../manifest/manifest.ts";
import type { ScanResult } from "../manifest/scan.ts";
import type { SyncJob } from "./engine.ts";

const NAMED_MAX = 3;

/**
 * What to say of paths that a request names and at which there is nothing, neither here nor at the destination: misspelt,
 * they would pass for mirrored. Empty when there are none.
 */
export function absentPathWarnings(
  { pathsAsked = false }: SyncJob,
  { missingIncludes }: ScanResult,
  remote: Manifest | undefined,
): string[] {
  if (!pathsAsked) return [];
  const absent = missingIncludes.filter((include) => !holdsAny(remote, include));
  if (absent.length === 0) return [];
  const named = absent.slice(0, NAMED_MAX).join(", ");
  return [
    `there is nothing at ${absent.length} of the paths asked for, here or at the destination: ${named}. Check how they are spelt`,
  ];
}

function holdsAny(manifest: Manifest | undefined, include: RelativePath): boolean {
  for (const path of manifest?.entries.keys() ?? []) if (isWithin(path, include)) return true;
  return false;
}
