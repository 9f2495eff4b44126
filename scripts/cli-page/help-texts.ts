import type { Command } from "commander";
import { CommandLine } from "../../src/cli/command-line.ts";
import { createProgram } from "../../src/cli/program.ts";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";

/** `--help` of every command by its name (`""` is the program's own, then e.g. `vault set`), in the order of the help itself. */
export function helpTexts(): ReadonlyMap<string, string> {
  const platform = bunPlatform();
  const terminal = { ...platform.terminal, outputColumns: undefined, errorColumns: undefined };
  const cli = new CommandLine({ ...platform, terminal, env: () => undefined }, new AbortController().signal);
  const written = { out: "", err: "" };
  const texts = new Map<string, string>();
  const visit = (command: Command, name: string) => {
    written.out = "";
    command.outputHelp();
    texts.set(name, written.out.trimEnd());
    for (const each of command.createHelp().visibleCommands(command)) {
      if (each.name() !== "help") visit(each, `${name} ${each.name()}`.trim());
    }
  };
  visit(createProgram(cli, written), "");
  return texts;
}
