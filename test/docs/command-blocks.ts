/** A fenced block of shell commands in a document, with what its author says of it. */
export interface CommandBlock {
  /** Line of the opening fence, from 1. */
  readonly line: number;
  readonly script: string;
  readonly name: string;
  readonly kind: "run" | "server" | "not run";
  /** Exit status it must end with. */
  readonly status: number;
  readonly output: ExpectedOutput | undefined;
}

export interface ExpectedOutput {
  readonly language: "json" | "text";
  readonly text: string;
}

interface Fence {
  readonly line: number;
  readonly language: string;
  readonly body: string;
  /** The last thing before the fence that is not a blank line. */
  readonly before: string;
}

const SHELL_LANGUAGES = new Set(["sh", "bash", "shell", "console", "zsh", "shell-session"]);

/**
 * The shell blocks of a markdown document in order; the convention stands in commands.test.ts.
 * @throws Error naming the line, for a shell block without a mark and for a mark that cannot be read
 */
export function commandBlocks(markdown: string): CommandBlock[] {
  const blocks: CommandBlock[] = [];
  let open: CommandBlock | undefined;
  for (const fence of fences(markdown)) {
    if (SHELL_LANGUAGES.has(fence.language)) {
      open = commandBlock(fence);
      blocks.push(open);
      continue;
    }
    const isOutput = fence.before === "```" || fence.before === "<!-- output -->";
    if (!isOutput || open === undefined || (fence.language !== "json" && fence.language !== "text")) continue;
    const withOutput = { ...open, output: { language: fence.language, text: fence.body } as const };
    blocks[blocks.length - 1] = withOutput;
    open = undefined;
  }
  return blocks;
}

function commandBlock({ line, language, body, before }: Fence): CommandBlock {
  if (language !== "sh") throw new Error(`line ${line}: a block of commands is fenced as sh, not ${language}`);
  const mark = /^<!-- (not run|run|server)(?:: (.+?))? -->$/.exec(before);
  if (mark === null) {
    throw new Error(
      `line ${line}: a block of commands needs <!-- run -->, <!-- server --> or <!-- not run: why --> before it`,
    );
  }
  const [, kind, words = ""] = mark;
  if (kind === "not run" && words === "") throw new Error(`line ${line}: say why it is not run`);
  const status = /(?:^|, )exit (\d+)$/.exec(words);
  const name = status === null ? words : words.slice(0, status.index);
  return {
    line,
    script: body,
    name: name === "" ? (body.trim().split("\n")[0] ?? "") : name,
    kind: kind === "not run" || kind === "server" ? kind : "run",
    status: Number(status?.[1] ?? 0),
    output: undefined,
  };
}

function fences(markdown: string): Fence[] {
  const found: Fence[] = [];
  let before = "";
  let inside: { line: number; language: string; indent: string; close: string; lines: string[] } | undefined;
  for (const [index, text] of markdown.split("\n").entries()) {
    if (inside !== undefined) {
      if (text.trim() === inside.close) {
        found.push({ line: inside.line, language: inside.language, body: inside.lines.join("\n"), before });
        before = "```";
        inside = undefined;
      } else {
        inside.lines.push(text.startsWith(inside.indent) ? text.slice(inside.indent.length) : text);
      }
      continue;
    }
    const fence = /^(\s*)(`{3,}|~{3,})\s*([\w-]*)/.exec(text);
    if (fence !== null) {
      const [, indent = "", close = "", language = ""] = fence;
      inside = { line: index + 1, language: language.toLowerCase(), indent, close, lines: [] };
    } else if (text.trim() !== "") {
      before = text.trim();
    }
  }
  if (inside !== undefined) throw new Error(`line ${inside.line}: the block is never closed`);
  return found;
}
