import type { Command } from "commander";
import { widthOf } from "./format.ts";

/** A way to use a command: what it does, and the line to type, which a backslash may continue. */
export type Example = readonly [does: string, line: string];

/** Columns of every help text: it is read in a terminal, a page and a mail alike. */
export const HELP_COLUMNS = 80;

/** Adds what the options alone do not teach: words, then examples. */
export function withHelp(
  command: Command,
  { words, examples }: { words?: string; examples: readonly Example[] },
): Command {
  const lines = examples.flatMap(([does, line]) => [`  # ${does}`, `  ${line.replaceAll("\n", "\n    ")}`, ""]);
  const parts = [...(words === undefined ? [] : [filled(words), ""]), "Examples:", ...lines.slice(0, -1)];
  return command.addHelpText("after", `\n${parts.join("\n")}`);
}

/** Paragraphs with their words on lines as long as they may be. */
function filled(text: string): string {
  const paragraphs = text.trim().split(/\n\s*\n/);
  return paragraphs.map((paragraph) => linesOf(paragraph.trim().split(/\s+/)).join("\n")).join("\n\n");
}

function linesOf(words: readonly string[]): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const longer = `${lines.at(-1) ?? ""} ${word}`;
    if (lines.length > 0 && widthOf(longer) <= HELP_COLUMNS) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
