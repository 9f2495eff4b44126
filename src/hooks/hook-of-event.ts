import type { ProductEvent } from "../core/events.ts";
import type { HookName, HookPayload } from "./catalogue.ts";

export type Hook = { readonly [Name in HookName]: { readonly name: Name; readonly data: HookPayload<Name> } }[HookName];

/**
 * The hook that tells of `event`; undefined for what only the log hears.
 * @param timestamp seconds since the epoch
 */
export function hookOfEvent(event: ProductEvent, timestamp: number): Hook | undefined {
  switch (event.type) {
    case "sync.dry_run": {
      const { service, snapshot, uploads, deletes, bytes } = event;
      return { name: "on_cloud_sync_plan", data: { service, snapshot, uploads, deletes, bytes, timestamp } };
    }
    case "sync.progress": {
      // A dry run ends with its plan; progress is for what takes effect.
      if (event.dryRun) return undefined;
      const { service, snapshot, phase, filesDone, filesTotal, bytesDone, bytesTotal } = event;
      const done = { files_done: filesDone, files_total: filesTotal, bytes_done: bytesDone, bytes_total: bytesTotal };
      return { name: "on_cloud_sync_progress", data: { service, snapshot, phase, ...done, timestamp } };
    }
    case "sync.run": {
      const { service, snapshot, uploads, deletes, skipped, status } = event;
      return {
        name: "on_cloud_sync_complete",
        data: { service, snapshot, uploads, deletes, skipped, status, timestamp },
      };
    }
    case "backup.create": {
      const { name, files, bytes, removed } = event;
      return { name: "on_backup_created", data: { name, files, bytes, removed, timestamp } };
    }
    case "backup.restore": {
      const { name, restored, skipped } = event;
      return { name: "on_backup_restored", data: { name, restored, skipped, timestamp } };
    }
    case "vault.audit":
      return undefined;
  }
}
