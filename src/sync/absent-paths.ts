import { emptyPlaces } from "../core/empty-places.ts";
import type { Manifest } from "../manifest/manifest.ts";
import type { ScanResult } from "../manifest/scan.ts";
import type { SyncJob } from "./engine.ts";

const NAMED_MAX = 3;

/**
 * What to say of paths that a request names and at which there is nothing, neither here nor at the destination: misspelt,
 * they would pass for mirrored. Empty when there are none.
 */
export function absentPathWarnings(
  { pathsAsked = false }: Pick<SyncJob, "pathsAsked">,
  { missingIncludes }: Pick<ScanResult, "missingIncludes">,
  remote: Manifest | undefined,
): string[] {
  if (!pathsAsked) return [];
  const absent = emptyPlaces(missingIncludes, remote?.entries.keys() ?? []);
  if (absent.size === 0) return [];
  const named = [...absent].slice(0, NAMED_MAX).join(", ");
  return [
    `there is nothing at ${absent.size} of the paths asked for, here or at the destination: ${named}. Check how they are spelt`,
  ];
}
