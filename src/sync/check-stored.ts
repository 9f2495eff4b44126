import type { RelativePath } from "../core/paths.ts";
import type { Application } from "./apply-plan.ts";
import type { RemoteState } from "./remote-state.ts";

/** How long a store may go on with a request whose sender is gone; a thousand deletes take Ceph RGW one to two seconds. */
const STORE_WORKS_ON_MS = 10_000;

/**
 * After a run that was cut off: requests of it may still be carried out, deletes of files that are back since and older
 * contents of files that were written again. Looks whether the store has what this run has stored; what is not as it
 * was stored fails like any file. Where deletes were under way the look comes when they must have ended.
 * @param startedMs when this run began to change things
 * @throws SyncError `aborted`, and what the provider throws for a listing
 */
export async function checkStored(application: Application, remote: RemoteState, startedMs: number): Promise<void> {
  const { engine, job, uploaded, versions, errors } = application;
  const deleting = remote.published?.deleting ?? new Set<RelativePath>();
  const touched = remote.marker?.touched ?? new Set<RelativePath>();
  const doubted = new Set([...uploaded].filter((path) => deleting.has(path) || touched.has(path)));
  if (doubted.size === 0) return;
  // No longer than that, though the clock was put back.
  const waitMs = Math.min(startedMs + STORE_WORKS_ON_MS - engine.clock.now(), STORE_WORKS_ON_MS);
  if (waitMs > 0 && doubted.intersection(deleting).size > 0) await engine.clock.sleep(waitMs, job.signal);
  for await (const { key, version } of job.provider.list(job.layout.objectPrefix, { signal: job.signal })) {
    const path = job.layout.pathOf(key);
    if (path !== undefined && versions.get(path) === version) doubted.delete(path);
  }
  for (const path of doubted) {
    uploaded.delete(path);
    const error = "a late request of a run that was cut off has changed the object after it was stored; run again";
    errors.push({ action: "upload", path, error, code: "content_mismatch" });
  }
}
