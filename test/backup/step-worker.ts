/**
 * A process of its own. `create ROOT STEP` and `restore ROOT NAME STEP` kill themselves at the given step of their work with
 * the file system; `swap ROOT FOLDER OUTSIDE` swaps a folder for a symlink until it is ended.
 */
import { renameSync, rmSync, symlinkSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import type { BackupEngine } from "../../src/backup/backup-engine.ts";
import { createBackup } from "../../src/backup/create-backup.ts";
import { restoreBackup } from "../../src/backup/restore-backup.ts";
import type { AtomicWriter, NewFile, TreeWriter } from "../../src/platform/contract.ts";
import { engineAt } from "./backup-bench.ts";

const [what, root = "", ...rest] = process.argv.slice(2);
let stepsLeft = Number(rest.at(-1));

/** Kills this process at its last step, as a lost machine would. */
function step(): void {
  if (stepsLeft-- === 0) process.kill(process.pid, "SIGKILL");
}

function around<T>(run: () => T): T {
  step();
  const result = run();
  step();
  return result;
}

function steppingWriter(writer: AtomicWriter): AtomicWriter {
  return {
    write: (chunk) => around(() => writer.write(chunk)),
    writeAt: (offset, bytes) => around(() => writer.writeAt(offset, bytes)),
    truncate: (length) => around(() => writer.truncate(length)),
    commit: async () => {
      step();
      await writer.commit();
      step();
    },
    abort: () => writer.abort(),
  };
}

function steppingFile(file: NewFile): NewFile {
  return {
    write: (chunk) => around(() => file.write(chunk)),
    flush: () => file.flush(),
    commit: () => around(() => file.commit()),
    abort: () => file.abort(),
  };
}

function steppingEngine(): BackupEngine {
  const engine = engineAt(root);
  const { files } = engine;
  return {
    ...engine,
    files: {
      ...files,
      createAtomic: async (path, options) => {
        const writer = await files.createAtomic(path, options);
        step();
        return steppingWriter(writer);
      },
      remove: async (path) => {
        step();
        return await files.remove(path);
      },
    },
    openTreeWriter: (folder): TreeWriter => {
      const writer = engine.openTreeWriter(folder);
      return {
        lstat: (path) => writer.lstat(path),
        makeFolder: (path) => around(() => writer.makeFolder(path)),
        open: (path) => writer.open(path),
        create: (path, options) => around(() => steppingFile(writer.create(path, options))),
        close: () => writer.close(),
      };
    },
  };
}

function swapForEver(folder: string, outside: string): void {
  const away = `${folder}-away`;
  for (;;) {
    try {
      renameSync(folder, away);
      symlinkSync(outside, folder);
      unlinkSync(folder);
      renameSync(away, folder);
    } catch {
      // The restore made the folder anew while it was away: two full folders could not be swapped any more.
      if (!done(() => unlinkSync(folder)) && !done(() => renameSync(away, folder)))
        rmSync(away, { recursive: true, force: true });
    }
  }
}

function done(act: () => void): boolean {
  try {
    act();
    return true;
  } catch {
    return false;
  }
}

console.log("ready");
if (what === "create") await createBackup(steppingEngine(), { include: ["assets"], max_backups: 2 });
else if (what === "restore") await restoreBackup(steppingEngine(), { name: rest[0] ?? "", replace_existing: true });
else swapForEver(join(root, rest[0] ?? ""), rest[1] ?? "");
