import { toSyncError } from "../core/errors.ts";
import type { Application } from "./apply-plan.ts";
import type { PlannedUpload } from "./plan.ts";

/**
 * Frees the room that uploads of earlier runs take and that nobody can see: those that this machine recorded and that
 * neither this run nor one of another part of the tree will go on with; and after a run that was cut off, on whatever
 * machine, all others of the snapshot. The latter only where the lease keeps other writers out. Failing to is a warning,
 * as the run is none the worse for it.
 * @throws SyncError `aborted`
 */
export async function discardUnfinished(
  application: Application,
  planned: readonly PlannedUpload[],
  afterCutOff: boolean,
): Promise<void> {
  const { job, lease, records } = application;
  const { unfinished } = job.provider;
  if (unfinished === undefined) return;
  const call = { signal: job.signal };
  const keys = new Set(planned.map((change) => job.layout.objectKey(change.path)));
  const isPlanned = (key: string) => keys.has(key);
  const isOutOfScope = (key: string) => {
    const path = job.layout.pathOf(key);
    return path !== undefined && !job.scope.holds(path);
  };
  try {
    for (const each of await records.abandoned(isPlanned, isOutOfScope)) await unfinished.discard(each, call);
    if (!afterCutOff || !lease.exclusive) return;
    const recordsOf = (key: string) => (isPlanned(key) || isOutOfScope(key) ? records.of(key) : undefined);
    await unfinished.discardOthers(job.layout.objectPrefix, recordsOf, call);
  } catch (thrown) {
    const { code, message } = toSyncError(thrown);
    if (code === "aborted") throw thrown;
    application.warnings.push(
      `uploads that earlier runs left unfinished could not be removed (${code}: ${message}); they take room in the ` +
        "store: allow listing and aborting multipart uploads, or let the store expire them",
    );
  }
}
