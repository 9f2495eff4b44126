import { type Clock, systemClock } from "../../core/clock.ts";
import { SyncError } from "../../core/errors.ts";
import type { Precondition } from "../contract.ts";
import { type Claimed, Claims } from "./claims.ts";
import type { DriveFile } from "./drive-file.ts";
import { type StoreOrder, type StoreTools, storeContent } from "./store.ts";

/** The id that the writer of the next version has to create a file under. */
const NEXT = "comfyvn_next";
/** How often a put looks again when what it has seen is changing under its hands. */
const LOOKS_MAX = 5;

/**
 * A put under a condition. Drive has no conditional writes, so they are made of what it does keep: a file with a given id
 * is created once, and is found by its id at once.
 *
 * - A file that was put under a condition names a reserved id. To replace that version a writer first creates a file with
 *   that id, its ticket: of several one succeeds. It looks again, replaces the content, names the next id, and removes
 *   the ticket.
 * - Where no id has been agreed on (there is no such file yet, or another tool wrote it) writers announce themselves by
 *   files that the others find by a search (claims.ts). That holds as far as the search does: Drive's may lag some seconds.
 *
 * @throws SyncError `precondition_failed`; as `storeContent`
 */
export async function putConditionally(
  tools: StoreTools,
  order: Omit<StoreOrder, "existing" | "properties">,
  precondition: Precondition,
  clock: Clock = systemClock,
): Promise<DriveFile> {
  const { signal } = order.options;
  const { catalog, ids } = tools;
  const claims = new Claims(tools, order.key, order.place, clock);
  for (let look = 1; look <= LOOKS_MAX; look++) {
    const file = await catalog.locate(order.key, order.place, signal);
    check(file, precondition);
    const ticketId = file?.properties[NEXT];
    let claimed = ticketId === undefined ? await claims.byElection(signal) : await claims.byTicket(ticketId, signal);
    if (claimed === undefined) {
      // Whoever had the ticket has ended, or died with the id used up.
      if ((await tools.files.get(file?.id ?? "", signal))?.properties[NEXT] !== ticketId) continue;
      claimed = await claims.byElection(signal);
    }
    try {
      const now = await seenAgain(tools, file, claimed, signal);
      check(now, precondition);
      if (ticketId !== undefined && now?.properties[NEXT] !== ticketId) continue;
      const properties = { [NEXT]: await ids.take(signal) };
      claimed.checkAge();
      return await storeContent(tools, { ...order, existing: now, properties });
    } catch (error) {
      if (ticketId !== undefined && file !== undefined) await renewNext(tools, file);
      throw error;
    } finally {
      await claims.giveBack(claimed);
    }
  }
  throw new SyncError("precondition_failed", "other writers keep replacing the object", { retryable: true });
}

function check(file: DriveFile | undefined, precondition: Precondition): void {
  const holds = precondition.kind === "absent" ? file === undefined : file?.version === precondition.version;
  if (!holds) throw new SyncError("precondition_failed", "the object is not in the expected version");
}

/** The key's file once others are kept out: the search that won an election has looked for it. */
async function seenAgain(
  { files }: StoreTools,
  file: DriveFile | undefined,
  claimed: Claimed,
  signal: AbortSignal | undefined,
): Promise<DriveFile | undefined> {
  if (file === undefined) return claimed.found;
  const now = await files.get(file.id, signal);
  return now?.trashed === true ? undefined : now;
}

/** After a put that came to nothing: its ticket's id is used up, so the file has to name another one. Never throws. */
async function renewNext({ files, ids, connection }: StoreTools, file: DriveFile): Promise<void> {
  const signal = AbortSignal.timeout(connection.limits.abortMs);
  try {
    await files.update(file.id, { appProperties: { [NEXT]: await ids.take(signal) } }, signal);
  } catch {
    // Whoever comes next finds the ticket's id used and its file gone or old, and goes by election.
  }
}
