import type { RelativePath } from "../core/paths.ts";
import type { Application } from "./apply-plan.ts";
import type { PlanResult } from "./plan.ts";
import type { RemoteState } from "./remote-state.ts";
import type { RunMarker } from "./run-marker.ts";

/** How long a store may go on with a request whose sender is gone; a thousand deletes take Ceph RGW one to two seconds. */
const STORE_WORKS_ON_MS = 10_000;

/** True when requests of the run that left the marker may still be on their way to the store, or under way in it. */
export function mayComeLate(marker: RunMarker | undefined): boolean {
  return marker !== undefined && marker.touched.size > 0 && !marker.isSettled;
}

/**
 * After a run that was cut off: requests of it may still be carried out, deletes of files that are back since, and older
 * contents of files that were written again, put back as they were, removed, or are none of this run's business. Looks
 * whether the store has what this run has stored or believes, and not what it lacks, when they must have ended; what is
 * not as it should be fails like any file.
 * @param planned whose target this run is to publish
 * @param startedMs when this run began to change things
 * @throws SyncError `aborted`, and what the provider throws for a listing
 */
export async function checkStored(
  application: Application,
  remote: RemoteState,
  { target, doubtful }: PlanResult,
  startedMs: number,
): Promise<void> {
  const { engine, job, uploaded, versions, errors } = application;
  // Nothing is published then, and the marker stays for the next run.
  if (errors.length > 0) return;
  const deleting = remote.published?.deleting ?? new Set<RelativePath>();
  const touched = remote.marker?.touched ?? new Set<RelativePath>();
  const storedAgain = [...uploaded].filter((path) => deleting.has(path) || touched.has(path));
  const believed = [...touched].filter((path) => {
    const version = versions.get(path);
    // Another one than was published is what the run that was cut off has stored itself.
    const isAsPublished = version !== undefined && version === remote.published?.versions.get(path);
    return isAsPublished && !uploaded.has(path) && target.entries.has(path);
  });
  const absent = new Set(touched).difference(target.entries).difference(new Set(doubtful));
  const waits = mayComeLate(remote.marker) || storedAgain.some((path) => deleting.has(path));
  const doubted = new Set([...storedAgain, ...believed]);
  if (doubted.size === 0 && !waits) return;
  // No longer than that, though the clock was put back.
  const waitMs = Math.min(startedMs + STORE_WORKS_ON_MS - engine.clock.now(), STORE_WORKS_ON_MS);
  if (waitMs > 0 && waits) await engine.clock.sleep(waitMs, job.signal);
  const wrong: RelativePath[] = [];
  for await (const { key, version } of job.provider.list(job.layout.objectPrefix, { signal: job.signal })) {
    const path = job.layout.pathOf(key);
    if (path === undefined) continue;
    if (versions.get(path) === version) doubted.delete(path);
    if (absent.has(path)) wrong.push(path);
  }
  const error = "a late request of a run that was cut off has changed the object; run again";
  for (const path of [...doubted, ...wrong]) {
    uploaded.delete(path);
    const action = absent.has(path) ? "delete" : "upload";
    errors.push({ action, path, error, code: "content_mismatch" });
  }
}
