import type { ServiceName } from "../config/flags.ts";
import { SyncError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { isWithin, type RelativePath } from "../core/paths.ts";
import type { Scope } from "../manifest/scope.ts";
import type { Files } from "../platform/contract.ts";
import type { TreeLayout } from "../sync/tree-layout.ts";

/**
 * A folder that holds the workspace under the snapshot's name would be its own mirror: nothing would be kept anywhere
 * else, and another machine's run would write over the workspace and delete from it. One that lies in what is mirrored
 * would be mirrored itself, and twice as large with every run.
 * @param root native path of the workspace
 * @throws SyncError `provider_config`
 */
export async function checkApart(
  files: Files,
  root: string,
  service: ServiceName,
  destination: JsonObject,
  layout: TreeLayout,
  scope: Scope,
): Promise<void> {
  const path = destination["path"];
  if (service !== "local" || typeof path !== "string") return;
  // What is not there, or cannot be looked at, is the provider's to tell.
  const real = (place: string) => files.realPath(place).catch(() => undefined);
  const [workspace, folder] = [await real(root), await real(path)];
  if (workspace === undefined || folder === undefined) return;
  for (const key of [layout.objectPrefix, layout.manifestKey]) {
    const place = files.join(folder, ...key.split("/").filter((name) => name !== ""));
    const inside = below(files, workspace, (await real(place)) ?? place);
    if (inside === undefined || !isMirrored(scope, inside)) continue;
    throw new SyncError(
      "provider_config",
      `the destination's folder lies in what is mirrored (${inside}), so that each run would mirror the copies of the last; ` +
        "name a folder outside of the workspace, or exclude it",
    );
  }
  const mirror = await real(files.join(folder, ...layout.objectPrefix.split("/").filter((name) => name !== "")));
  if (mirror === undefined || (mirror !== workspace && below(files, mirror, workspace) === undefined)) return;
  throw new SyncError(
    "provider_config",
    "the workspace lies where this snapshot would be kept in the destination's folder, and would be its own mirror; " +
      "name another folder, or another snapshot",
  );
}

/** Where `place` is below `folder`, as a path with `/`; undefined when it is elsewhere or the folder itself. */
function below(files: Files, folder: string, place: string): RelativePath | undefined {
  const names: string[] = [];
  for (let at = place; at !== folder; at = files.dirname(at)) {
    if (files.dirname(at) === at) return undefined;
    names.unshift(files.basename(at));
  }
  return names.length === 0 ? undefined : names.join("/");
}

function isMirrored(scope: Scope, path: RelativePath): boolean {
  return scope.holds(path) || scope.include.some((include) => isWithin(include, path) && scope.holds(include));
}
