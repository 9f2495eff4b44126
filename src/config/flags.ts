import { SyncError } from "../core/errors.ts";
import type { FlagName } from "./schema.ts";
import { CONFIG_FILES, type Settings } from "./settings.ts";

/** The services a request may name, each with the flag that gates it. */
export const SERVICE_FLAGS = {
  s3: "enable_cloud_sync_s3",
  gdrive: "enable_cloud_sync_gdrive",
  local: "enable_cloud_sync_local",
} as const satisfies Readonly<Record<string, FlagName>>;

export type ServiceName = keyof typeof SERVICE_FLAGS;

/** @throws SyncError `feature_disabled` naming the flag */
export function requireFlag(settings: Settings, flag: FlagName): void {
  if (settings.features[flag]) return;
  throw new SyncError(
    "feature_disabled",
    `features.${flag} is off; set it to true in ${CONFIG_FILES[0]} or run: comfyvn-sync flags enable ${flag}`,
    { details: { flag: `features.${flag}` } },
  );
}

/** Both the gate of /api/sync and the provider's own. @throws SyncError `feature_disabled` */
export function requireService(settings: Settings, service: ServiceName): void {
  requireFlag(settings, "enable_cloud_sync");
  requireFlag(settings, SERVICE_FLAGS[service]);
}
