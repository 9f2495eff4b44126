import { SyncError } from "../../core/errors.ts";
import type { Files } from "../../platform/contract.ts";
import { atDestination } from "./local-error.ts";
import { OWN_FOLDER } from "./local-keys.ts";

/** A file with this name is made beside the marker; where its other spelling finds it too, names are folded. */
export const PROBE_NAME = "probe-\u00e9";
const PROBE_OTHERWISE = "probe-e\u0301";

const LOOKS = 3;

/** What of a Destination is needed here. */
interface Place {
  readonly files: Files;
  readonly root: string;
  own(...names: readonly string[]): string;
}

/**
 * Whether the destination takes names for the same that differ in case or in the composition of their characters, as
 * macOS, Windows and most NAS shares do. There a path that exists may be another key's, so every name is compared with
 * what the folder really lists. Undefined before anything of ours is there: then no key of ours can be mistaken.
 */
export async function foldsNames(destination: Place): Promise<boolean | undefined> {
  const { files } = destination;
  return await atDestination(async () => {
    if ((await files.lstat(destination.own(PROBE_NAME))) === undefined) return undefined;
    if ((await files.lstat(destination.own(PROBE_OTHERWISE))) !== undefined) return true;
    return (await files.lstat(files.join(destination.root, OWN_FOLDER.toUpperCase()))) !== undefined;
  });
}

/** Whether something is at `key` under exactly this spelling. */
export type Spelling = "exact" | "other" | "absent";

/** How the destination spells what `key` finds. */
export async function spellingOf(destination: Place, key: string): Promise<Spelling> {
  const { files } = destination;
  return await atDestination(async () => {
    let folder = destination.root;
    for (const segment of key.split("/")) {
      const spelling = await spellingIn(files, folder, segment);
      if (spelling !== "exact") return spelling;
      folder = files.join(folder, segment);
    }
    return "exact";
  });
}

/** Looks more than once: a name may come or go between the look at the list and the look at the file. */
async function spellingIn(files: Files, folder: string, name: string): Promise<Spelling> {
  for (let look = 1; look <= LOOKS; look++) {
    if ((await files.list(folder))?.includes(name) === true) return "exact";
    if ((await files.lstat(files.join(folder, name))) === undefined) return "absent";
  }
  return "other";
}

export function spelledOtherwise(): SyncError {
  return new SyncError(
    "key_collision",
    "the destination does not tell this path from another one that differs in case or accents only; rename one of them",
  );
}
