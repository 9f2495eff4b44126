/**
 * What the scripts of package.json start: sees to it that the locked dependencies are there, then runs the target as if
 * it had been started directly. Imports only what the runtime has built in, since it runs where nothing is installed.
 *
 *   bun scripts/with-dependencies.ts FILE [ARGUMENT…]   runs FILE in this process
 *   bun scripts/with-dependencies.ts test [ARGUMENT…]   becomes `bun test ARGUMENT…` in the project's folder
 *
 * A stamp in node_modules says which bun.lock was installed in full; it is removed before an install and written after
 * it, so a killed one is taken up again. stdout belongs to the target: all that an install says goes to stderr.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join, resolve } from "node:path";

const project = dirname(import.meta.dir);
const modules = join(project, "node_modules");
const stampFile = join(modules, ".installed-lock");
const lockFile = join(modules, ".install-lock");
const STDERR = 2;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

const [target, ...targetArguments] = process.argv.slice(2);
if (target === undefined) fail("usage: bun scripts/with-dependencies.ts FILE|test [ARGUMENT…]", 2);

const ready = isInstalled();
if (!ready) await installOnce();

if (target === "test") {
  process.chdir(project);
  await become(["test", ...targetArguments]);
} else if (ready) {
  process.argv.splice(1, Infinity, resolve(target), ...targetArguments);
  await import(resolve(target));
} else {
  // This process has looked for packages before they were there and may remember that.
  await become([resolve(target), ...targetArguments]);
}

/** What is to be installed here: the lock, and the system since packages with native code differ between systems. */
function wantedStamp(): string {
  return `${process.platform} ${process.arch} ${Bun.hash(readFileSync(join(project, "bun.lock")))}\n`;
}

interface PackageManifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** True when this bun.lock was installed in full, and no package that package.json names was removed since. */
function isInstalled(): boolean {
  if (!existsSync(stampFile) || readFileSync(stampFile, "utf8") !== wantedStamp()) return false;
  const manifest = JSON.parse(readFileSync(join(project, "package.json"), "utf8")) as PackageManifest;
  return Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).every((name) =>
    existsSync(join(modules, name, "package.json")),
  );
}

/** Installs under a lock that the system frees when its holder dies; whoever waited for it finds the work done. */
async function installOnce(): Promise<void> {
  try {
    mkdirSync(modules, { recursive: true });
    const lock = await lockInstall();
    if (!isInstalled()) await install();
    lock.close();
  } catch (error) {
    fail(
      `the dependencies cannot be installed in ${modules}: ${error instanceof Error ? error.message : String(error)}`,
      1,
    );
  }
}

/** SQLite's own locking of an empty database: no other that the runtime offers dies with its process. */
async function lockInstall() {
  const { Database } = await import("bun:sqlite");
  const lock = new Database(lockFile);
  try {
    lock.run("PRAGMA busy_timeout = 0");
    lock.run("BEGIN EXCLUSIVE");
  } catch {
    console.error("waiting for another start of this project, which is installing the dependencies");
    lock.run("PRAGMA busy_timeout = 900000");
    lock.run("BEGIN EXCLUSIVE");
  }
  return lock;
}

async function install(): Promise<void> {
  rmSync(stampFile, { force: true });
  console.error("installing the locked dependencies (once; needs the network)");
  const installer = Bun.spawn([process.execPath, "install", "--frozen-lockfile"], {
    cwd: project,
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
    fail(`the install was stopped by ${stoppedBy}; the next start goes on with it`, 128 + constants.signals[stoppedBy]);
  }
  if (status !== 0) {
    fail(
      "the dependencies could not be installed, see above: check the network and the disk's space, then start again",
      1,
    );
  }
  writeFileSync(stampFile, wantedStamp());
}

/**
 * Runs bun with `argumentList` in the place of this process, so that signals, streams and the exit status are the
 * target's own. Where a process cannot be replaced (Windows), runs it below and hands signals and status on.
 */
async function become(argumentList: readonly string[]): Promise<never> {
  const command = [process.execPath, ...argumentList];
  if (process.platform !== "win32" && process.execve !== undefined) {
    process.execve(process.execPath, command, definedEnvironment());
  }
  const child = Bun.spawn(command, { stdio: ["inherit", "inherit", "inherit"] });
  for (const signal of SIGNALS) process.on(signal, () => child.kill(signal));
  return process.exit(await child.exited);
}

function definedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function fail(message: string, status: number): never {
  console.error(message);
  process.exit(status);
}
