import type { CommandLine } from "../command-line.ts";

const FOLDER_PREFIX = "comfyvn-edit-";
/** A folder that is younger may belong to an edit that is about to take its lock. */
const LEFT_BEHIND_AFTER_MS = 60_000;
/** Where Linux keeps files in memory, for everybody and for one user. */
const SHARED_MEMORY = "/dev/shm";

export interface EditFile {
  readonly path: string;
  /** Fires with the command's own signal, and when the terminal goes away. */
  readonly signal: AbortSignal;
}

/**
 * Hands `use` a file with `bytes` that this user alone can read, in memory where the system has such a place, and removes
 * it whatever happens. What an edit that was killed left behind is removed by the next one.
 */
export async function withEditFile<T>(
  cli: CommandLine,
  bytes: Uint8Array,
  use: (file: EditFile) => Promise<T>,
): Promise<T> {
  const { files, terminal } = cli.platform;
  const hungUp = new AbortController();
  const stopListening = terminal.onHangup(() => hungUp.abort());
  try {
    const folder = await makeFolder(cli);
    try {
      const lock = await files.lock(files.join(folder, "lock"));
      try {
        const path = files.join(folder, "vault.json");
        await files.writeAtomic(path, bytes, { mode: 0o600 });
        return await use({ path, signal: AbortSignal.any([cli.signal, hungUp.signal]) });
      } finally {
        lock.release();
      }
    } finally {
      await files.removeTree(folder);
    }
  } finally {
    stopListening();
  }
}

async function makeFolder(cli: CommandLine): Promise<string> {
  const { files } = cli.platform;
  for (const place of [SHARED_MEMORY, cli.platform.env("XDG_RUNTIME_DIR")]) {
    if (place === undefined || !(await files.isMemoryBacked(place))) continue;
    await removeLeftBehind(cli, place);
    const folder = await files.makeTempFolder(FOLDER_PREFIX, place).catch(() => undefined);
    if (folder !== undefined) return folder;
  }
  const folder = await files.makeTempFolder(FOLDER_PREFIX);
  await removeLeftBehind(cli, files.dirname(folder));
  if (!(await files.isMemoryBacked(folder))) {
    cli.warn(
      `this system keeps no files in memory: while you edit, your secrets are in a file on the disk, in ${folder}`,
    );
  }
  return folder;
}

/**
 * An edit holds the lock of its folder as long as it lives. The place is everybody's: in another user's folder the lock
 * may be a symlink, and the superuser would write where it leads.
 */
async function removeLeftBehind(cli: CommandLine, place: string): Promise<void> {
  const { files } = cli.platform;
  const names = ((await files.list(place)) ?? []).filter((name) => name.startsWith(FOLDER_PREFIX));
  for (const name of names) {
    const folder = files.join(place, name);
    try {
      const stat = await files.lstat(folder);
      const isOurs = stat?.kind === "directory" && (stat.mode & 0o077) === 0 && (await files.isOwn(folder));
      if (!isOurs || Date.now() - Number(stat.mtimeNs / 1_000_000n) < LEFT_BEHIND_AFTER_MS) continue;
      const lock = await files.lock(files.join(folder, "lock"), { timeoutMs: 0 });
      lock.release();
      await files.removeTree(folder);
      cli.note("removed the file of an edit that was killed");
    } catch {
      // In use, or somebody else's.
    }
  }
}
