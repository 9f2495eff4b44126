import { resolve } from "node:path";

const MAIN = resolve(import.meta.dir, "../../src/main.ts");
const CALL_MS_MAX = 60_000;

export const ENTER = "\r";
export const CTRL_C = "\u0003";

/** Keys for when something is on the screen. */
export interface Answer {
  readonly question: string;
  readonly keys: string;
}

export interface TerminalOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly columns?: number;
}

/** How a call ended, and all that was written to its screen. */
export interface TerminalResult {
  readonly status: number;
  readonly screen: string;
  /** Answers whose question never came. */
  readonly unasked: number;
}

/** Runs the program on a terminal of its own; each of `answers` is typed once, in order, when its question is on the screen. */
export async function onTerminal(
  root: string,
  args: readonly string[],
  answers: readonly Answer[] = [],
  { env = {}, columns = 100 }: TerminalOptions = {},
): Promise<TerminalResult> {
  let screen = "";
  let from = 0;
  const left = [...answers];
  const decoder = new TextDecoder();
  const child = Bun.spawn([process.execPath, MAIN, ...args], {
    cwd: root,
    env: { PATH: "/usr/bin:/bin", HOME: root, TERM: "xterm", ...env },
    terminal: {
      cols: columns,
      rows: 30,
      data: (terminal, bytes) => {
        screen += decoder.decode(bytes, { stream: true });
        const [next] = left;
        const at = next === undefined ? -1 : screen.indexOf(next.question, from);
        if (next === undefined || at < 0) return;
        from = at + next.question.length;
        left.shift();
        terminal.write(next.keys);
      },
    },
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), CALL_MS_MAX);
  try {
    const status = await child.exited;
    return { status, screen: screen.replaceAll("\r\n", "\n"), unasked: left.length };
  } finally {
    clearTimeout(timer);
    child.kill("SIGKILL");
    child.terminal?.close();
  }
}
