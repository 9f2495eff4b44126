import { dryRunSync, getManifest, runSync } from "../../api/sync-operations.ts";
import type { ManifestQuery } from "../../api/sync-request.ts";
import type { App, ManifestRequest } from "../../app.ts";
import type { Router } from "../router.ts";
import type { WorkSlots } from "../security/work-slots.ts";
import { listOf } from "../text-list.ts";

/** `/api/sync/*`, behind its flag. */
export function addSyncRoutes(router: Router, app: App, slots: WorkSlots): void {
  const options = { gate: () => app.requireSyncEnabled(), during: slots.during };
  router
    .on(getManifest, ({ query, signal }) => app.manifest(manifestRequest(query), signal), options)
    .on(dryRunSync, ({ body, signal }) => app.dryRun(body, signal), options)
    .on(runSync, ({ body, signal }) => app.run(body, signal), options);
}

function manifestRequest(query: ManifestQuery): ManifestRequest {
  return {
    snapshot: query.snapshot,
    include: listOf(query.include),
    exclude: listOf(query.exclude),
    followSymlinks: isOn(query.follow_symlinks),
    withEntries: query.detail === "entries",
    rehash: isOn(query.rehash),
  };
}

function isOn(text: string | undefined): boolean {
  return text === "1" || text?.toLowerCase() === "true";
}
