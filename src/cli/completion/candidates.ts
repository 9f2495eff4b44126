import type { Argument, Command, Option } from "commander";

/** What may stand where the cursor is. */
export interface Candidates {
  readonly items: readonly Candidate[];
  /** What the shell adds by itself. */
  readonly also: "nothing" | "files" | "folders";
}

interface Candidate {
  readonly value: string;
  readonly description: string;
}

const NOTHING: Candidates = { items: [], also: "nothing" };

/**
 * Candidates for the last of `words`, which may be empty; the program's own name is not among them.
 * @param archives names of the workspace's backups, asked for only where one may stand
 */
export async function candidates(
  program: Command,
  words: readonly string[],
  archives: () => Promise<readonly string[]>,
): Promise<Candidates> {
  const before = joinedAtEquals(words);
  const last = before.pop() ?? "";
  const { command, option, position, optionsEnded } = place(program, before);
  const found = await unfiltered();
  return { ...found, items: found.items.filter(({ value }) => value.startsWith(last)) };

  async function unfiltered(): Promise<Candidates> {
    if (option !== undefined) return valuesOf(option, last.startsWith("=") ? "=" : "");
    const [name = "", given] = last.split("=", 2);
    if (!optionsEnded && given !== undefined && name.startsWith("--")) {
      const taken = findOption(command, name);
      return taken === undefined ? NOTHING : valuesOf(taken, `${name}=`);
    }
    if (!optionsEnded && last.startsWith("-")) return { items: optionsOf(command), also: "nothing" };
    if (command.commands.length > 0) return { items: commandsOf(command), also: "nothing" };
    const { registeredArguments: taken } = command;
    const argument = taken[position] ?? (taken.at(-1)?.variadic === true ? taken.at(-1) : undefined);
    return argument === undefined ? NOTHING : await valuesOfArgument(argument, archives);
  }
}

interface Place {
  readonly command: Command;
  /** The one that waits for its value. */
  readonly option: Option | undefined;
  /** How many arguments the command has already. */
  readonly position: number;
  readonly optionsEnded: boolean;
}

function place(program: Command, words: readonly string[]): Place {
  let command = program;
  let option: Option | undefined;
  let position = 0;
  let optionsEnded = false;
  for (const word of words) {
    if (option !== undefined) option = undefined;
    else if (!optionsEnded && word === "--") optionsEnded = true;
    else if (!optionsEnded && word.startsWith("-")) {
      const taken = findOption(command, word);
      if (taken !== undefined && takesValue(taken)) option = taken;
    } else {
      const next = command.commands.find((each) => each.name() === word);
      if (next === undefined) position++;
      else [command, position] = [next, 0];
    }
  }
  return { command, option, position, optionsEnded };
}

/** Bash hands `--service=s3` over as three words. */
function joinedAtEquals(words: readonly string[]): string[] {
  const joined: string[] = [];
  for (const [index, word] of words.entries()) {
    const isLast = index === words.length - 1;
    if (word === "=" && joined.at(-1)?.startsWith("--") === true) {
      // The option waits for its value; an equals sign where the cursor is stands for an empty one.
      if (isLast) joined.push("");
    } else joined.push(word);
  }
  return joined;
}

function findOption(command: Command, word: string): Option | undefined {
  for (let each: Command | null = command; each !== null; each = each.parent) {
    const found = each.options.find(({ long, short }) => long === word || short === word);
    if (found !== undefined) return found;
  }
  return undefined;
}

function takesValue({ required, optional }: Option): boolean {
  return required || optional;
}

function optionsOf(command: Command): Candidate[] {
  const items: Candidate[] = [{ value: "--help", description: "show help" }];
  for (let each: Command | null = command; each !== null; each = each.parent) {
    for (const { long, description, hidden } of each.options) {
      if (long !== undefined && !hidden) items.push({ value: long, description });
    }
  }
  return items;
}

function commandsOf(command: Command): Candidate[] {
  const visible = command.createHelp().visibleCommands(command);
  return visible.map((each) => ({ value: each.name(), description: each.description() }));
}

function valuesOf(option: Option, prefix: string): Candidates {
  if (option.argChoices !== undefined) {
    return { items: option.argChoices.map((value) => ({ value: prefix + value, description: "" })), also: "nothing" };
  }
  const placeholder = /<([\w-]+)>/.exec(option.flags)?.[1];
  if (placeholder === "folder") return { items: [], also: "folders" };
  return placeholder === "file" || placeholder === "path" ? { items: [], also: "files" } : NOTHING;
}

async function valuesOfArgument(argument: Argument, archives: () => Promise<readonly string[]>): Promise<Candidates> {
  const name = argument.name();
  if (name === "archive") {
    return { items: (await archives()).map((value) => ({ value, description: "" })), also: "nothing" };
  }
  if (argument.argChoices !== undefined) {
    return { items: argument.argChoices.map((value) => ({ value, description: "" })), also: "nothing" };
  }
  return name === "paths" || name === "file" ? { items: [], also: "files" } : NOTHING;
}
