import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { BackupEngine } from "../../src/backup/backup-engine.ts";
import { systemClock } from "../../src/core/clock.ts";
import type { ProductEvent } from "../../src/core/events.ts";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import { tempFolder } from "../support/temp-folder.ts";

/** A name that restore takes for an archive of this product. */
export const NAME = "20251215T080530Z-test.zip";

export interface BackupBench {
  readonly root: string;
  readonly engine: BackupEngine;
  readonly events: readonly ProductEvent[];
  write(path: string, content: string | Uint8Array): void;
  read(path: string): string;
  /** Puts bytes where an archive of that name would be. */
  archive(bytes: Uint8Array, name?: string): void;
}

/** A workspace in a temporary folder. */
export function backupBench(
  files: Readonly<Record<string, string | Uint8Array>> = {},
  options: { readonly root?: string; readonly engine?: Partial<BackupEngine> } = {},
): BackupBench {
  const root = options.root ?? tempFolder();
  const events: ProductEvent[] = [];
  const write = (path: string, content: string | Uint8Array) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  };
  for (const [path, content] of Object.entries(files)) write(path, content);
  return {
    root,
    events,
    write,
    read: (path) => readFileSync(join(root, path), "utf8"),
    archive: (bytes, name = NAME) => write(`backups/cloud/${name}`, bytes),
    engine: engineAt(root, { events: { emit: (event) => events.push(event) }, ...options.engine }),
  };
}

export function engineAt(root: string, over: Partial<BackupEngine> = {}): BackupEngine {
  const platform = bunPlatform();
  return {
    root,
    files: platform.files,
    tree: platform.tree,
    openTreeWriter: (folder) => platform.openTreeWriter(folder),
    compression: platform.compression,
    newHasher: platform.newHasher,
    reclaimMemory: () => platform.reclaimMemory(),
    events: { emit: () => undefined },
    clock: systemClock,
    ...over,
  };
}

/** Every path below `folder` with its kind, mode, time and content, but for the archives and the lock: what must not change. */
export function treeOf(folder: string): string[] {
  const lines: string[] = [];
  const visit = (path: string) => {
    for (const name of readdirSync(join(folder, path)).toSorted()) {
      const here = path === "" ? name : `${path}/${name}`;
      if (here === "backups" || here === "cache") continue;
      const stat = lstatSync(join(folder, here));
      const content = stat.isFile() ? Bun.hash(readFileSync(join(folder, here))) : "";
      lines.push(`${here} ${stat.mode.toString(8)} ${stat.isFile() ? Math.round(stat.mtimeMs) : ""} ${content}`);
      if (stat.isDirectory()) visit(here);
    }
  };
  if (existsSync(folder)) visit("");
  return lines;
}

/** Paths of the files below `folder`, archives and lock included. */
export function filesBelow(folder: string, path = ""): string[] {
  return readdirSync(join(folder, path), { withFileTypes: true })
    .flatMap((entry) => {
      const here = path === "" ? entry.name : `${path}/${entry.name}`;
      return entry.isDirectory() ? filesBelow(folder, here) : [here];
    })
    .toSorted();
}
