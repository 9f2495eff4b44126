/**
 * What the scripts of package.json start: sees to it that the locked dependencies are there, then runs the target as if
 * it had been started directly. Imports only what the runtime has built in, since it runs where nothing is installed.
 *
 *   bun scripts/with-dependencies.ts FILE [ARGUMENT…]   runs FILE in this process
 *   bun scripts/with-dependencies.ts test [ARGUMENT…]   becomes `bun test ARGUMENT…` in the project's folder
 *   bun scripts/with-dependencies.ts install            no target: ends when the dependencies are there
 *
 * stdout belongs to the target: all that an install says goes to stderr.
 */
import { dirname, resolve } from "node:path";
import { InstallError, installOnce, isInstalled, SIGNALS } from "./with-dependencies/install-once.ts";

const project = dirname(import.meta.dir);
const [target, ...targetArguments] = process.argv.slice(2);
if (target === undefined) fail("usage: bun scripts/with-dependencies.ts FILE|test|install [ARGUMENT…]", 2);

const ready = isInstalled(project);
if (!ready) await installOnce(project).catch(failInstall);

if (target === "test") {
  process.chdir(project);
  // A slow machine decides no test: the limit is there to end what hangs.
  await become(["test", "--timeout=60000", ...targetArguments]);
} else if (target !== "install") {
  if (ready) {
    process.argv.splice(1, Infinity, resolve(target), ...targetArguments);
    await import(resolve(target));
  } else {
    // This process has looked for packages before they were there and may remember that.
    await become([resolve(target), ...targetArguments]);
  }
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

function failInstall(error: unknown): never {
  if (error instanceof InstallError) fail(error.message, error.status);
  fail(`the dependencies cannot be installed: ${error instanceof Error ? error.message : String(error)}`, 1);
}

function fail(message: string, status: number): never {
  console.error(message);
  process.exit(status);
}
