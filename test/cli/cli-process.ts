import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { tempFolder } from "../support/temp-folder.ts";

const MAIN = resolve(import.meta.dir, "../../src/main.ts");
const CALL_MS_MAX = 60_000;

export const PASSPHRASE = "correct horse battery";

export interface CliResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CallOptions {
  /** Laid over a clean environment, which knows no passphrase. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: nothing, stdin is empty. */
  readonly stdin?: string;
  /** Started with SIGHUP ignored, as by nohup. */
  readonly ignoresHangup?: boolean;
}

const IGNORING_HANGUP = ["/bin/sh", "-c", `trap '' HUP; exec "$0" "$@"`];

export type CliChild = Bun.Subprocess<"ignore" | Blob, "pipe", "pipe">;

/** A temporary workspace and the real program, started in it with nothing of the environment of the tests. */
export interface CliWorkspace {
  readonly root: string;
  /** An empty folder beside the workspace. */
  readonly other: string;
  readonly write: (path: string, content: string | Uint8Array) => void;
  /** Runs the program to its end. */
  readonly call: (args: readonly string[], options?: CallOptions) => Promise<CliResult>;
  /** The same with the vault's passphrase in the environment. */
  readonly unlocked: (args: readonly string[], options?: CallOptions) => Promise<CliResult>;
  /** Starts the program, hands it to `use`, and ends it whatever happened. */
  readonly during: <T>(
    args: readonly string[],
    use: (child: CliChild) => Promise<T>,
    options?: CallOptions,
  ) => Promise<T>;
}

export function cliWorkspace(): CliWorkspace {
  const folder = tempFolder();
  const root = join(folder, "workspace");
  const other = join(folder, "other");
  const home = join(folder, "home");
  for (const each of [root, other, home]) mkdirSync(each);
  const start = (args: readonly string[], { env = {}, stdin, ignoresHangup }: CallOptions = {}): CliChild =>
    Bun.spawn([...(ignoresHangup === true ? IGNORING_HANGUP : []), process.execPath, MAIN, ...args], {
      cwd: root,
      env: { PATH: "/usr/bin:/bin", HOME: home, TMPDIR: other, ...env },
      stdin: stdin === undefined ? "ignore" : new Blob([stdin]),
      stdout: "pipe",
      stderr: "pipe",
    });
  const during: CliWorkspace["during"] = async (args, use, options) => {
    const child = start(args, options);
    const timer = setTimeout(() => child.kill("SIGKILL"), CALL_MS_MAX);
    try {
      return await use(child);
    } finally {
      clearTimeout(timer);
      child.kill("SIGKILL");
      await child.exited;
    }
  };
  const call: CliWorkspace["call"] = (args, options) => during(args, ended, options);
  return {
    root,
    other,
    call,
    during,
    unlocked: (args, options = {}) =>
      call(args, { ...options, env: { COMFYVN_SECRETS_KEY: PASSPHRASE, ...options.env } }),
    write: (path, content) => {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content);
    },
  };
}

/** What a child says until it ends. */
async function ended(child: CliChild): Promise<CliResult> {
  const [stdout, stderr, status] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { status, stdout, stderr };
}

/** Reads stdout up to a line that `pattern` matches. @throws Error when the child ends first */
export async function lineOf(child: CliChild, pattern: RegExp): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  const reader = child.stdout.getReader();
  try {
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      text += decoder.decode(chunk.value, { stream: true });
      const line = text
        .split("\n")
        .slice(0, -1)
        .find((each) => pattern.test(each));
      if (line !== undefined) return line;
    }
  } finally {
    reader.releaseLock();
  }
  throw new Error(`ended before it said ${String(pattern)}: ${text}${await new Response(child.stderr).text()}`);
}
