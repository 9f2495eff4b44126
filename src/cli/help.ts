import type { Command } from "commander";

/** A way to use a command: what it does, and the line to type. */
export type Example = readonly [does: string, line: string];

/** Columns of every help text: it is read in a terminal, a page and a mail alike. */
export const HELP_COLUMNS = 80;

/** Adds what the options alone do not teach: words, then examples. */
export function withHelp(
  command: Command,
  { words, examples }: { words?: string; examples: readonly Example[] },
): Command {
  const lines = examples.flatMap(([does, line]) => [`  # ${does}`, `  ${line}`, ""]);
  const parts = [...(words === undefined ? [] : [words.trim(), ""]), "Examples:", ...lines.slice(0, -1)];
  return command.addHelpText("after", `\n${parts.join("\n")}`);
}
