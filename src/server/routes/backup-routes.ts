import { createBackup, listBackups, restoreBackup, verifyBackup } from "../../api/backup-operations.ts";
import type { App } from "../../app.ts";
import type { Router } from "../router.ts";
import type { WorkSlots } from "../security/work-slots.ts";

/** `/api/backup*`, behind no flag. */
export function addBackupRoutes(router: Router, app: App, slots: WorkSlots): void {
  const options = { during: slots.during };
  router
    .on(listBackups, () => app.listBackups())
    .on(createBackup, ({ body, signal }) => app.createBackup(body, { signal }), options)
    .on(restoreBackup, ({ body, signal }) => app.restoreBackup(body, { signal }), options)
    .on(verifyBackup, ({ body, signal }) => app.verifyBackup(body.name, { signal }), options);
}
