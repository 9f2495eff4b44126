import type { Settings } from "../config/settings.ts";
import { createScope, type Scope } from "../manifest/scope.ts";

/** The scope of a request, with the settings' paths and patterns for what it leaves out. @throws SyncError as createScope */
export function scopeFor(
  settings: Settings,
  include: readonly string[] | undefined,
  exclude: readonly string[] | undefined,
): Scope {
  return createScope({ include: include ?? settings.sync.include, exclude: exclude ?? settings.sync.exclude });
}
