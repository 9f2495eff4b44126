import { emptyPlaces } from "../core/empty-places.ts";
import type { RelativePath } from "../core/paths.ts";

const GUARDED_DELETES_MIN = 20;

/** Why a run's deletes need a human's word, in numbers. */
export interface GuardReport {
  /** Files that would be deleted. */
  readonly deletes: number;
  /** Remote files inside the request's include paths and outside its excludes. */
  readonly remote_in_scope: number;
  /** More than half of the remote files in scope, and at least 20. */
  readonly more_than_half: boolean;
  /** Include paths that do not exist here and under which everything would be deleted. */
  readonly missing_include_paths: number;
}

/**
 * The delete guard: an emptied or unmounted folder must not empty the remote. Undefined when the deletes are unremarkable.
 * @param remoteInScope how many remote files the scope holds
 * @param missingIncludes include paths at which there is nothing locally
 */
export function guardDeletes(
  deletes: readonly RelativePath[],
  remoteInScope: number,
  missingIncludes: readonly RelativePath[],
): GuardReport | undefined {
  const moreThanHalf = deletes.length >= GUARDED_DELETES_MIN && deletes.length * 2 > remoteInScope;
  const emptied = missingIncludes.length - emptyPlaces(missingIncludes, deletes).size;
  if (!moreThanHalf && emptied === 0) return undefined;
  return {
    deletes: deletes.length,
    remote_in_scope: remoteInScope,
    more_than_half: moreThanHalf,
    missing_include_paths: emptied,
  };
}
