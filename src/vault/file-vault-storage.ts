import { SyncError } from "../core/errors.ts";
import type { FileLock, Files } from "../platform/contract.ts";
import { tooLarge, VAULT_BYTES_MAX } from "./envelope.ts";
import type { VaultStorage } from "./vault-storage.ts";

/** Nobody but the owner reads the vault, whatever the umask says. */
const VAULT_MODE = 0o600;

/**
 * The vault in the file `path`, with the lock `<file>.lock` beside it.
 *
 * A vault that is a symlink is written through: the file it leads to is replaced, and the lock lies beside that file.
 * Replacing the link instead would leave the old secrets, under the old passphrase, where it led; and two workspaces
 * that share one vault must share its lock. It is safe because nothing is written over a file that is not a vault which
 * the passphrase opens, and a link to nothing is refused.
 */
export function fileVaultStorage(files: Files, path: string): VaultStorage {
  return {
    read: () => readVault(files, path),
    update: async (fn) => {
      const target = await targetOf(files, path);
      await files.makeFolder(files.dirname(target));
      const lock = await lockVault(files, `${target}.lock`);
      try {
        const { write, result } = await fn(await readVault(files, target));
        if (write !== undefined) {
          await removeLeftovers(files, target);
          await files.writeAtomic(target, write, { mode: VAULT_MODE });
        }
        return result;
      } finally {
        lock.release();
      }
    },
  };
}

async function readVault(files: Files, path: string): Promise<Uint8Array | undefined> {
  const stat = await files.stat(path);
  if (stat === undefined) return undefined;
  if (stat.size > VAULT_BYTES_MAX) throw tooLarge(stat.size);
  return await files.readBytes(path, VAULT_BYTES_MAX);
}

/**
 * Removes the temp files of saves that were killed: they hold secrets under a passphrase that a rekey may have retired.
 * Nobody else writes one while this process holds the lock.
 */
async function removeLeftovers(files: Files, target: string): Promise<void> {
  const folder = files.dirname(target);
  const prefix = `.${files.basename(target)}.`;
  for (const name of (await files.list(folder)) ?? []) {
    const middle = name.startsWith(prefix) && name.endsWith(".tmp") ? name.slice(prefix.length, -".tmp".length) : "";
    if (/^[0-9A-Za-z]+$/.test(middle)) await files.remove(files.join(folder, name));
  }
}

async function targetOf(files: Files, path: string): Promise<string> {
  const target = await files.realPath(path);
  if (target !== undefined) return target;
  if ((await files.lstat(path)) === undefined) return path;
  throw new SyncError("vault_missing", "the vault is a symlink to a file that is not there; mend or remove the link");
}

async function lockVault(files: Files, path: string): Promise<FileLock> {
  try {
    return await files.lock(path);
  } catch (cause) {
    if (!(cause instanceof SyncError) || cause.code !== "lock_busy") throw cause;
    throw new SyncError("vault_busy", "another process is writing the vault; try again", { retryable: true, cause });
  }
}
