import type { App } from "../../app.ts";
import { formatCount } from "../format.ts";

/** How a change of the vault ended, for a person. */
export function savedText(result: Awaited<ReturnType<App["vault"]["store"]>>): string {
  if (!result.written) return "unchanged: the vault held exactly this already";
  if (result.created) return "saved in a new vault";
  const dropped = result.backupsDroppedForSize;
  const lost = dropped === 0 ? "" : `; ${formatCount(dropped, "old backup")} no longer fitted and went`;
  return `saved; what was there before is backup 0 of ${result.backups}${lost}`;
}

/** What --json prints of a change: in names like those of the API's answers. */
export function savedJson<Saved extends Awaited<ReturnType<App["vault"]["restoreBackup"]>>>({
  backupsDroppedForSize,
  ...saved
}: Saved) {
  return { ...saved, backups_dropped_for_size: backupsDroppedForSize };
}
