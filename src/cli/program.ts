import { Command } from "commander";
import { VERSION } from "../core/version.ts";
import { backupCommand } from "./backup-command.ts";
import type { CommandLine } from "./command-line.ts";
import { demoCommand } from "./demo.ts";
import { flagsCommand } from "./flags-command.ts";
import { manifestCommand } from "./manifest-command.ts";
import { providerCommand } from "./provider-command.ts";
import { serveCommand } from "./serve.ts";
import { planCommand, runCommand } from "./sync-commands.ts";
import { vaultCommand } from "./vault/vault-command.ts";

const HELP = `
Exit status: 0 done, 1 failed, 2 wrong usage, 3 partly done (some files failed), 130 interrupted.
Results go to stdout, everything else to stderr.`;

/** What the parser writes itself: help and the version. */
export interface Written {
  out: string;
  err: string;
}

/**
 * The tree of commands. Nothing in it ends the process or writes: the parser throws CommanderError, also after help and
 * version, and what it has to say is gathered in `written`.
 */
export function createProgram(cli: CommandLine, written: Written): Command {
  const program = new Command("comfyvn-sync")
    .description("Mirror a workspace of visual-novel assets to S3, Google Drive or a folder")
    .version(VERSION, "-V, --version", "print the version")
    .option("--root <folder>", "the workspace (default: COMFYVN_ROOT, the current folder)")
    .addHelpText("after", HELP);
  for (const make of [serveCommand, demoCommand, manifestCommand, planCommand, runCommand])
    program.addCommand(make(cli));
  for (const make of [backupCommand, vaultCommand, flagsCommand, providerCommand]) program.addCommand(make(cli));
  const output = {
    writeOut: (text: string) => void (written.out += text),
    writeErr: (text: string) => void (written.err += text),
    outputError: () => undefined,
    getOutHelpWidth: () => cli.platform.terminal.errorColumns ?? 100,
    getErrHelpWidth: () => cli.platform.terminal.errorColumns ?? 100,
  };
  forEach(program, (command) =>
    command.exitOverride().configureOutput(output).configureHelp({ showGlobalOptions: true }),
  );
  return program;
}

/** Settings that commands do not hand down to those that were added ready-made. */
function forEach(command: Command, change: (command: Command) => void): void {
  change(command);
  for (const each of command.commands) forEach(each, change);
}
