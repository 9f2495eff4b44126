import { join, resolve } from "node:path";
import { compile } from "../../scripts/build/compile.ts";
import { fileNameFor, hostTarget } from "../../scripts/build/targets.ts";
import { denoProgram } from "./deno-program.ts";

export const PROJECT = resolve(import.meta.dirname, "../..");

/** One way to run the program. */
export interface Runtime {
  readonly name: string;
  /** The command that stands for `comfyvn-sync`. @param home an empty folder @param folders all that it must reach */
  command(home: string, folders: readonly string[]): Promise<readonly string[]>;
}

export const RUNTIMES: readonly Runtime[] = [
  { name: "Bun", command: async () => [process.execPath, join(PROJECT, "src/main.ts")] },
  { name: "the compiled file", command: async (home) => [await compiledFile(home)] },
  { name: "Deno", command: async (_home, folders) => denoCommand(folders) },
];

/** The program as one file in `folder`. @returns its path */
export async function compiledFile(folder: string): Promise<string> {
  const target = hostTarget();
  if (target === undefined) throw new Error(`there is no compiled file for ${process.platform} ${process.arch}`);
  const outfile = join(folder, fileNameFor(target));
  await compile({ project: PROJECT, target, bun: process.execPath, outfile });
  return outfile;
}

/** The permissions of README.md, and not one more. Its network is what a server on loopback and its peers need. */
export function denoPermissions(folders: readonly string[]): readonly string[] {
  return [
    "--no-prompt",
    "--allow-net=127.0.0.1",
    "--allow-env=COMFYVN_*,NO_PROXY,no_proxy",
    "--ignore-env",
    "--allow-sys=hostname",
    `--allow-read=${[PROJECT, ...folders].join(",")}`,
    `--allow-write=${folders.join(",")}`,
  ];
}

function denoCommand(folders: readonly string[]): readonly string[] {
  return [denoProgram(PROJECT), "run", ...denoPermissions(folders), join(PROJECT, "src/main.ts")];
}

export interface Started {
  readonly base: string;
  readonly child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  /** What it has said on stderr so far. */
  readonly said: () => string;
  stop(signal?: NodeJS.Signals): Promise<{ readonly status: number; readonly stdout: string }>;
}

interface StartOptions {
  /** Where it is started, its home and its place for temporary files. */
  readonly cwd: string;
  /** Laid over an environment that holds nothing of ours. */
  readonly env: Readonly<Record<string, string>>;
}

const START_MS_MAX = 60_000;

/** Starts `command`, a server. @throws Error when it does not listen */
export async function startServer(command: readonly string[], { cwd, env }: StartOptions): Promise<Started> {
  const child = Bun.spawn([...command], {
    cwd,
    env: { PATH: "/usr/bin:/bin", HOME: cwd, TMPDIR: cwd, DENO_DIR: join(cwd, "deno"), NO_COLOR: "1", ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  let said = "";
  const listening = Promise.withResolvers<string>();
  const heard = (async () => {
    for await (const chunk of child.stderr) said += new TextDecoder().decode(chunk);
  })();
  let stdout = "";
  const printed = (async () => {
    for await (const chunk of child.stdout) {
      stdout += new TextDecoder().decode(chunk);
      const base = /^listening on (http:\/\/\S+)$/m.exec(stdout)?.[1];
      if (base !== undefined) listening.resolve(base);
    }
    await heard;
    listening.reject(new Error(`${command.join(" ")} ended before it listened: ${stdout}${said}`));
  })();
  const timer = setTimeout(() => child.kill("SIGKILL"), START_MS_MAX);
  try {
    const base = await listening.promise;
    const stop = async (signal: NodeJS.Signals = "SIGTERM") => {
      child.kill(signal);
      const status = await child.exited;
      await printed;
      return { status, stdout };
    };
    return { base, child, said: () => said, stop };
  } finally {
    clearTimeout(timer);
  }
}
