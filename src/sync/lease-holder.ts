import { type NewHasher, sha256Hex } from "../core/hash.ts";
import type { Files } from "../platform/contract.ts";
import type { LeaseHolder } from "./lease.ts";

const ID = /^[0-9a-f-]{36}$/;
/** Of a hash: the path itself is nobody else's business. */
const PLACE_DIGITS = 16;

/**
 * Who this workspace is to other machines. Its id is kept in `cache/cloud/workspace-id`; one that is lost or damaged is
 * made anew, which costs no more than waiting for an own dead lease to run out. Machine and place are part of it: a
 * workspace that was copied with its cache is another writer.
 * @param machineName for people, e.g. `studio-pc, process 4711`
 */
export async function loadLeaseHolder(
  files: Files,
  root: string,
  machineName: string,
  newHasher: NewHasher,
): Promise<LeaseHolder> {
  const path = files.join(root, "cache", "cloud", "workspace-id");
  const known = await files.readBytes(path, 1024).catch(() => undefined);
  let id = new TextDecoder().decode(known).trim();
  if (!ID.test(id)) {
    id = crypto.randomUUID();
    await files.writeAtomic(path, new TextEncoder().encode(`${id}\n`));
  }
  const place = sha256Hex(newHasher, new TextEncoder().encode((await files.realPath(root)) ?? root));
  return { name: machineName, workspace: `${id}@${hostOf(machineName)}:${place.slice(0, PLACE_DIGITS)}` };
}

function hostOf(machineName: string): string {
  return machineName.split(",")[0] ?? machineName;
}
