/**
 * Installs the locked dependencies so that no one ever sees half of them: into a folder of its own beside node_modules,
 * which takes the place of node_modules in one rename once it is whole. That matters because bun is one of them: npx
 * runs the bun of node_modules as soon as it finds one there, and an unfinished one fails every start.
 *
 *   .install-lock          held while one process installs; the system frees it when its holder dies
 *   .node_modules-XXXXXX/  an install under way, and then the node_modules that it replaced
 *
 * A kill at any moment leaves node_modules as it was, or whole, or (between two renames) none, which the next start
 * installs. What a killed install leaves beside it, the next install removes.
 */
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";

const MODULES = "node_modules";
/** In node_modules: says of which lock file it holds all. */
const STAMP = ".installed-lock";
const LOCK = ".install-lock";
const STAGING_PREFIX = ".node_modules-";
/** All that the installer reads of the project. */
const INPUTS = ["package.json", "bun.lock", "bunfig.toml"];
const LOCK_WAIT_MS = 900_000;
const STDERR = 2;

/** What asks a process to end, and is handed on to a child. */
export const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** There are no dependencies: the message says to the user why and what to do, `status` is what to end with. */
export class InstallError extends Error {
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.name = "InstallError";
    this.status = status;
  }
}

/** True when this bun.lock was installed in full in `project`, and no package that package.json names was removed since. */
export function isInstalled(project: string): boolean {
  if (readStamp(project) !== stampOf(project)) return false;
  const manifest = JSON.parse(readFileSync(join(project, "package.json"), "utf8")) as PackageManifest;
  return Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).every((name) =>
    existsSync(join(project, MODULES, name, "package.json")),
  );
}

interface PackageManifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** What `folder` wants installed: the lock file, and the system since packages with native code differ between systems. */
function stampOf(folder: string): string {
  return `${process.platform} ${process.arch} ${Bun.hash(readFileSync(join(folder, "bun.lock")))}\n`;
}

/** What is installed in `project`. Read in one go: another start may be replacing node_modules. */
function readStamp(project: string): string | undefined {
  try {
    return readFileSync(join(project, MODULES, STAMP), "utf8");
  } catch {
    return undefined;
  }
}

/**
 * Installs in `project` under the lock; whoever waited for it finds the work done.
 * @throws InstallError when the installer failed or was stopped; an error of the file system when `project` cannot be
 *   written to
 */
export async function installOnce(project: string): Promise<void> {
  const lock = await lockInstall(project);
  try {
    if (!isInstalled(project)) await install(project);
  } finally {
    lock.close();
  }
}

/** SQLite's own locking of an empty database: no other that the runtime offers dies with its process. */
async function lockInstall(project: string) {
  const { Database } = await import("bun:sqlite");
  const lock = new Database(join(project, LOCK));
  try {
    lock.run("PRAGMA busy_timeout = 0");
    lock.run("BEGIN EXCLUSIVE");
  } catch {
    console.error("waiting for another start of this project, which is installing the dependencies");
    lock.run(`PRAGMA busy_timeout = ${LOCK_WAIT_MS}`);
    lock.run("BEGIN EXCLUSIVE");
  }
  return lock;
}

async function install(project: string): Promise<void> {
  const modules = lstatSync(join(project, MODULES), { throwIfNoEntry: false });
  if (modules?.isFile()) {
    throw new InstallError(`the dependencies belong in ${join(project, MODULES)}, which is a file: move it away`, 1);
  }
  removeStaging(project);
  const staging = mkdtempSync(join(project, STAGING_PREFIX));
  try {
    for (const name of INPUTS) copyFileSync(join(project, name), join(staging, name));
    await runInstaller(staging);
    writeFileSync(join(staging, MODULES, STAMP), stampOf(staging));
    if (modules !== undefined) renameSync(join(project, MODULES), join(staging, "replaced"));
    renameSync(join(staging, MODULES), join(project, MODULES));
  } finally {
    removeStaging(project);
  }
}

/** Removes what installs left, to be called by the lock's holder. */
function removeStaging(project: string): void {
  for (const name of readdirSync(project).filter((each) => each.startsWith(STAGING_PREFIX))) {
    try {
      rmSync(join(project, name), { recursive: true, force: true });
    } catch {
      // An installer that outlived its killed parent may still write there. No one reads it; the next install tries again.
    }
  }
}

async function runInstaller(folder: string): Promise<void> {
  console.error("installing the locked dependencies (once; needs the network)");
  const installer = Bun.spawn([process.execPath, "install", "--frozen-lockfile"], {
    cwd: folder,
    stdio: ["ignore", STDERR, STDERR],
  });
  let stoppedBy: NodeJS.Signals | undefined;
  const stop = (signal: NodeJS.Signals) => {
    stoppedBy = signal;
    installer.kill(signal);
  };
  for (const signal of SIGNALS) process.on(signal, stop);
  const status = await installer.exited;
  for (const signal of SIGNALS) process.off(signal, stop);
  if (stoppedBy !== undefined) {
    throw new InstallError(
      `the install was stopped by ${stoppedBy}; the next start installs again`,
      128 + constants.signals[stoppedBy],
    );
  }
  if (status !== 0) {
    throw new InstallError(
      "the dependencies could not be installed, see above: check the network and the disk's space, then start again",
      1,
    );
  }
}
