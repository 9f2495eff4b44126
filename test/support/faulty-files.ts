import { type ErrorCode, SyncError } from "../../src/core/errors.ts";
import type { Files } from "../../src/platform/contract.ts";

type FileCall =
  | "stat"
  | "lstat"
  | "realPath"
  | "list"
  | "openRead"
  | "createAtomic"
  | "remove"
  | "removeEmptyFolder"
  | "writeAtomic"
  | "lock"
  | "readBytes";

/** Decides for each call whether it fails instead of being made. */
export type FileFault = (call: FileCall, path: string) => SyncError | undefined;

/** A failure as the platform tells it, with the system's code in its cause. */
export function systemFault(code: ErrorCode, system: string): SyncError {
  return new SyncError(code, `scripted ${system}`, { cause: Object.assign(new Error(system), { code: system }) });
}

/** `files` whose calls fail as `faultOf` says. */
export function faultyFiles(files: Files, faultOf: FileFault): Files {
  const meet = async <T>(name: FileCall, path: string, call: () => Promise<T>): Promise<T> => {
    const fault = faultOf(name, path);
    if (fault !== undefined) throw fault;
    return await call();
  };
  return {
    ...files,
    stat: (path) => meet("stat", path, () => files.stat(path)),
    lstat: (path) => meet("lstat", path, () => files.lstat(path)),
    realPath: (path) => meet("realPath", path, () => files.realPath(path)),
    list: (path) => meet("list", path, () => files.list(path)),
    openRead: (path) => meet("openRead", path, () => files.openRead(path)),
    createAtomic: (path, options) => meet("createAtomic", path, () => files.createAtomic(path, options)),
    remove: (path) => meet("remove", path, () => files.remove(path)),
    removeEmptyFolder: (path) => meet("removeEmptyFolder", path, () => files.removeEmptyFolder(path)),
    writeAtomic: (path, bytes, options) => meet("writeAtomic", path, () => files.writeAtomic(path, bytes, options)),
    lock: (path, options) => meet("lock", path, () => files.lock(path, options)),
    readBytes: (path, maxBytes) => meet("readBytes", path, () => files.readBytes(path, maxBytes)),
  };
}
