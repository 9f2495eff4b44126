import type { Files } from "../platform/contract.ts";
import { SyncError } from "./errors.ts";

/** `root` as an absolute path. @throws SyncError `root_missing` when it is not a folder */
export async function workspaceFolder(files: Files, root: string): Promise<string> {
  const path = files.resolve(root);
  if ((await files.stat(path))?.kind === "directory") return path;
  throw new SyncError("root_missing", `the workspace ${path} is not a folder; name one with --root or COMFYVN_ROOT`);
}
