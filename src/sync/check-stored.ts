import type { RelativePath } from "../core/paths.ts";
import type { Manifest } from "../manifest/manifest.ts";
import type { Application } from "./apply-plan.ts";
import type { RemoteState } from "./remote-state.ts";

/** How long a store may go on with a request whose sender is gone; a thousand deletes take Ceph RGW one to two seconds. */
const STORE_WORKS_ON_MS = 10_000;

/**
 * After a run that was cut off: requests of it may still be carried out, deletes of files that are back since, and older
 * contents of files that were written again, put back as they were, or are none of this run's business. Looks whether
 * the store has what this run has stored or believes; what is not as it should be fails like any file. Where deletes were
 * under way, or nothing of this run comes after what was, the look comes when they must have ended.
 * @param target what this run is to publish
 * @param startedMs when this run began to change things
 * @throws SyncError `aborted`, and what the provider throws for a listing
 */
export async function checkStored(
  application: Application,
  remote: RemoteState,
  target: Manifest,
  startedMs: number,
): Promise<void> {
  const { engine, job, uploaded, versions, errors } = application;
  // Nothing is published then, and the marker stays for the next run.
  if (errors.length > 0) return;
  const deleting = remote.published?.deleting ?? new Set<RelativePath>();
  const touched = remote.marker?.touched ?? new Set<RelativePath>();
  const storedAgain = new Set([...uploaded].filter((path) => deleting.has(path) || touched.has(path)));
  const believed = [...touched].filter((path) => {
    const version = versions.get(path);
    // Another one than was published is what the run that was cut off has stored itself.
    const isAsPublished = version !== undefined && version === remote.published?.versions.get(path);
    return isAsPublished && !uploaded.has(path) && target.entries.has(path);
  });
  const doubted = new Set([...storedAgain, ...believed]);
  if (doubted.size === 0) return;
  // No longer than that, though the clock was put back.
  const waitMs = Math.min(startedMs + STORE_WORKS_ON_MS - engine.clock.now(), STORE_WORKS_ON_MS);
  const mayComeLate = believed.length > 0 || storedAgain.intersection(deleting).size > 0;
  if (waitMs > 0 && mayComeLate) await engine.clock.sleep(waitMs, job.signal);
  for await (const { key, version } of job.provider.list(job.layout.objectPrefix, { signal: job.signal })) {
    const path = job.layout.pathOf(key);
    if (path !== undefined && versions.get(path) === version) doubted.delete(path);
  }
  for (const path of doubted) {
    uploaded.delete(path);
    const error = "a late request of a run that was cut off has changed the object; run again";
    errors.push({ action: "upload", path, error, code: "content_mismatch" });
  }
}
