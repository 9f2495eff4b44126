import type { ServiceName } from "../config/flags.ts";
import { SyncError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import type { Files } from "../platform/contract.ts";
import type { TreeLayout } from "../sync/tree-layout.ts";

/**
 * A folder that holds the workspace under the snapshot's name would be its own mirror: nothing would be kept anywhere
 * else, and another machine's run would write over the workspace and delete from it.
 * @param root native path of the workspace
 * @throws SyncError `provider_config`
 */
export async function checkApart(
  files: Files,
  root: string,
  service: ServiceName,
  destination: JsonObject,
  layout: TreeLayout,
): Promise<void> {
  const path = destination["path"];
  if (service !== "local" || typeof path !== "string") return;
  // What is not there, or cannot be looked at, is the provider's to tell.
  const real = (place: string) => files.realPath(place).catch(() => undefined);
  const mirror = await real(files.join(path, ...layout.objectPrefix.split("/").filter((name) => name !== "")));
  let folder = await real(root);
  while (folder !== undefined && folder !== mirror && files.dirname(folder) !== folder) folder = files.dirname(folder);
  if (folder === undefined || folder !== mirror) return;
  throw new SyncError(
    "provider_config",
    "the workspace lies where this snapshot would be kept in the destination's folder, and would be its own mirror; " +
      "name another folder, or another snapshot",
  );
}
