import { throwIfAborted, toSyncError } from "../../core/errors.ts";
import type { DeleteOutcome } from "../contract.ts";
import type { Destination } from "./destination.ts";
import { atDestination } from "./local-error.ts";

const DELETES_AT_ONCE = 16;

/** Removes the files at `keys` and the folders that this empties, up to the destination's root. */
export async function deleteObjects(
  destination: Destination,
  keys: readonly string[],
  isKey: (key: string) => boolean,
  signal: AbortSignal | undefined,
): Promise<DeleteOutcome[]> {
  const outcomes: DeleteOutcome[] = [];
  for (let start = 0; start < keys.length; start += DELETES_AT_ONCE) {
    throwIfAborted(signal);
    const batch = keys.slice(start, start + DELETES_AT_ONCE);
    outcomes.push(...(await Promise.all(batch.map((key) => deleteOne(destination, key, isKey(key))))));
  }
  return outcomes;
}

async function deleteOne(destination: Destination, key: string, canBe: boolean): Promise<DeleteOutcome> {
  try {
    const found = canBe ? await destination.find(key) : undefined;
    // Nothing there, or no disk there? Only the first is a success.
    if (found === undefined) await destination.checkRoot();
    else if (await atDestination(() => destination.files.remove(found.path))) await destination.removeEmptied(key);
    return { key };
  } catch (error) {
    return { key, error: toSyncError(error) };
  }
}
