import { Argument, Command } from "commander";
import { BACKUPS_FOLDER } from "../../app.ts";
import type { CommandLine } from "../command-line.ts";
import { withHelp } from "../help.ts";
import { candidates } from "./candidates.ts";
import { SCRIPTS, type Shell } from "./scripts.ts";

/** `completion SHELL`: what a shell sources so that Tab completes. */
export function completionCommand(cli: CommandLine): Command {
  const command = new Command("completion")
    .summary("let Tab complete commands in your shell")
    .description("print the script that lets Tab complete commands and flags in your shell")
    .addArgument(new Argument("<shell>", "the shell you type in").choices(Object.keys(SCRIPTS)));
  withHelp(command, {
    examples: [
      ["bash: in ~/.bashrc", "source <(comfyvn-sync completion bash)"],
      ["zsh: in ~/.zshrc, after compinit", "source <(comfyvn-sync completion zsh)"],
      ["fish: once", "comfyvn-sync completion fish > ~/.config/fish/completions/comfyvn-sync.fish"],
    ],
  });
  return cli.action(command, async (called) => {
    await cli.platform.terminal.write(SCRIPTS[called.args[0] as Shell]);
  });
}

/** `complete -- WORD…`: what those scripts ask; the last word is the one under the cursor. */
export function completeCommand(cli: CommandLine): Command {
  const command = new Command("complete").argument("[words...]").helpOption(false);
  return cli.action(command, async (called) => {
    const program = called.parent;
    if (program === null) return;
    const { items, also } = await candidates(program, called.args, () => archives(cli, called.args));
    const lines = items.map(({ value, description }) => `${value}\t${firstWords(description)}`);
    await cli.print([...lines, `:${also}`].join("\n"));
  });
}

/** A menu has one line for each. */
function firstWords(description: string): string {
  return (description.split(/[;(:]/)[0] ?? "").replace(/\s+/g, " ").trim();
}

/** Newest first, as `backup list` shows them; none when the workspace cannot be read. */
async function archives({ platform }: CommandLine, words: readonly string[]): Promise<readonly string[]> {
  const { files } = platform;
  const named = words[words.indexOf("--root") + 1];
  const root = files.resolve((words.includes("--root") ? named : undefined) ?? platform.env("COMFYVN_ROOT") ?? ".");
  const names = await files.list(files.join(root, ...BACKUPS_FOLDER.split("/"))).catch(() => undefined);
  return (names ?? [])
    .filter((name) => name.endsWith(".zip") && !name.startsWith("."))
    .toSorted()
    .toReversed();
}
