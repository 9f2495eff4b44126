import { readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Files } from "../../src/platform/contract.ts";

/**
 * `files` as a mount shows them that ignores case and composition below `root` and keeps the first spelling (macOS,
 * SMB). `storedAs` also changes new names, as HFS+ decomposes them.
 */
export function foldingFiles(files: Files, root: string, storedAs: (name: string) => string = (name) => name): Files {
  const fold = (name: string): string => name.normalize("NFC").toLowerCase();
  const actual = (path: string): string => {
    if (path.length <= root.length || !path.startsWith(root)) return path;
    const folder = actual(dirname(path));
    const name = basename(path);
    return join(folder, namesIn(folder).find((each) => fold(each) === fold(name)) ?? storedAs(name));
  };
  return {
    ...files,
    realPath: async (path) => ((await files.realPath(actual(path))) === undefined ? undefined : path),
    stat: (path) => files.stat(actual(path)),
    lstat: (path) => files.lstat(actual(path)),
    list: (path) => files.list(actual(path)),
    readBytes: (path, maxBytes) => files.readBytes(actual(path), maxBytes),
    openRead: (path) => files.openRead(actual(path)),
    writeAtomic: (path, bytes, options) => files.writeAtomic(actual(path), bytes, options),
    createAtomic: (path, options) => files.createAtomic(actual(path), options),
    makeFolder: (path) => files.makeFolder(actual(path)),
    remove: (path) => files.remove(actual(path)),
    removeEmptyFolder: (path) => files.removeEmptyFolder(actual(path)),
    lock: (path, options) => files.lock(actual(path), options),
  };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
