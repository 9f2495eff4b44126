import { type Argument, Command } from "commander";
import { VERSION } from "../core/version.ts";
import { backupCommand } from "./backup-command.ts";
import type { CommandLine } from "./command-line.ts";
import { completeCommand, completionCommand } from "./completion/completion-command.ts";
import { demoCommand } from "./demo.ts";
import { flagsCommand } from "./flags-command.ts";
import { HELP_COLUMNS } from "./help.ts";
import { hooksCommand } from "./hooks/hooks-command.ts";
import { initCommand } from "./init/init-command.ts";
import { manifestCommand } from "./manifest-command.ts";
import { providerCommand } from "./provider-command.ts";
import { serveCommand } from "./serve.ts";
import { planCommand, runCommand } from "./sync-commands.ts";
import { vaultCommand } from "./vault/vault-command.ts";

const HELP = `
Start here: comfyvn-sync demo --once    see it work, no account anywhere
            comfyvn-sync init           set up a mirror, question by question
            comfyvn-sync COMMAND --help what a command takes, with examples

Exit status: 0 done, 1 failed, 2 wrong usage, 3 partly done (some files failed),
130 stopped by Ctrl-C. Results go to stdout, everything else to stderr. Colours:
NO_COLOR=1 switches them off, FORCE_COLOR=1 on.`;

type Maker = (cli: CommandLine) => Command;

/** As --help shows them. */
const COMMANDS: readonly (readonly [heading: string, makers: readonly Maker[]])[] = [
  ["Getting started:", [initCommand, demoCommand]],
  ["Mirror:", [planCommand, runCommand, manifestCommand, providerCommand]],
  ["Backups:", [backupCommand]],
  ["Settings:", [vaultCommand, flagsCommand]],
  ["Server and tools:", [serveCommand, hooksCommand, completionCommand]],
];

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
    .option("--root <folder>", "the workspace (default: COMFYVN_ROOT, then the current folder)")
    .commandsGroup("Server and tools:")
    .helpCommand("help [command]", "show the help of a command")
    .addHelpText("after", HELP);
  for (const [heading, makers] of COMMANDS) {
    for (const make of makers) program.addCommand(make(cli).helpGroup(heading));
  }
  program.addCommand(completeCommand(cli), { hidden: true });
  const { style } = cli;
  const output = {
    writeOut: (text: string) => void (written.out += text),
    writeErr: (text: string) => void (written.err += text),
    outputError: () => undefined,
    getOutHelpWidth: () => HELP_COLUMNS,
    getErrHelpWidth: () => HELP_COLUMNS,
    // The styles below are those of stdout, or none.
    getOutHasColors: () => true,
    getErrHasColors: () => false,
  };
  const help = {
    showGlobalOptions: true,
    visibleGlobalOptions: (command: Command) =>
      command === program ? [] : program.options.filter(({ long }) => long === "--root"),
    // Without the parser's "[options]", which every command has.
    subcommandTerm: (command: Command) =>
      [command.name(), ...command.registeredArguments.map((each) => humanReadableArgument(each))].join(" "),
    styleTitle: style.bold,
    styleCommandText: style.name,
    styleSubcommandText: style.name,
    styleOptionText: style.name,
  };
  forEach(program, (command) =>
    command.helpOption("-h, --help", "show this help").exitOverride().configureOutput(output).configureHelp(help),
  );
  return program;
}

/** `<path>`, `[paths...]` */
function humanReadableArgument(argument: Argument): string {
  const name = argument.name() + (argument.variadic ? "..." : "");
  return argument.required ? `<${name}>` : `[${name}]`;
}

/** Settings that commands do not hand down to those that were added ready-made. */
function forEach(command: Command, change: (command: Command) => void): void {
  change(command);
  for (const each of command.commands) forEach(each, change);
}
