import type { Files } from "../platform/contract.ts";
import type { LeaseHolder } from "./lease.ts";

const ID = /^[0-9a-f-]{36}$/;

/**
 * Who this workspace is to other machines. Its id is kept in `cache/cloud/workspace-id`; one that is lost or damaged is
 * made anew, which costs no more than waiting for an own dead lease to run out.
 * @param machineName for people, e.g. `studio-pc, process 4711`
 */
export async function loadLeaseHolder(files: Files, root: string, machineName: string): Promise<LeaseHolder> {
  const path = files.join(root, "cache", "cloud", "workspace-id");
  const known = await files.readBytes(path, 1024).catch(() => undefined);
  const text = new TextDecoder().decode(known).trim();
  // The machine's name is part of the id: a workspace copied with its cache is another writer.
  if (ID.test(text)) return { name: machineName, workspace: `${text}@${hostOf(machineName)}` };
  const id = crypto.randomUUID();
  await files.writeAtomic(path, new TextEncoder().encode(`${id}\n`));
  return { name: machineName, workspace: `${id}@${hostOf(machineName)}` };
}

function hostOf(machineName: string): string {
  return machineName.split(",")[0] ?? machineName;
}
