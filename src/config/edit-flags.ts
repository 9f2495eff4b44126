import type { Files } from "../platform/contract.ts";
import { editConfig } from "./edit-config.ts";
import type { FlagName } from "./schema.ts";

/** Sets flags in config/comfyvn.json. @returns and @throws as editConfig */
export async function writeFlags(
  files: Files,
  root: string,
  changes: Readonly<Partial<Record<FlagName, boolean>>>,
): Promise<boolean> {
  const edits = Object.entries(changes).map(([flag, value]) => ({ path: ["features", flag], value }));
  return await editConfig(files, root, edits);
}
