import type { Settings } from "../config/settings.ts";
import { SyncError } from "../core/errors.ts";
import { createScope, type Scope } from "../manifest/scope.ts";

/**
 * The scope of a request, with the settings' paths and patterns for what it leaves out.
 * @throws SyncError `config_invalid` when it is the settings that are at fault; as createScope
 */
export function scopeFor(
  settings: Settings,
  include: readonly string[] | undefined,
  exclude: readonly string[] | undefined,
): Scope {
  const { sync } = settings;
  checkSettings(include === undefined ? sync.include : undefined, exclude === undefined ? sync.exclude : undefined);
  return createScope({ include: include ?? sync.include, exclude: exclude ?? sync.exclude });
}

function checkSettings(include: readonly string[] = [], exclude: readonly string[] = []): void {
  try {
    createScope({ include, exclude });
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    const setting = error.code === "bad_path" ? "sync.include" : "sync.exclude";
    throw new SyncError("config_invalid", `config/comfyvn.json: ${setting}: ${error.message}`, { cause: error });
  }
}
