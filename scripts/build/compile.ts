import { join } from "node:path";
import type { Target } from "./targets.ts";

const PROGRAM = "src/main.ts";
/** The entry of a program's threads, which is looked for beside it under this very name. */
const THREADS = "src/worker.ts";

export interface CompileOptions {
  readonly project: string;
  readonly target: Target;
  /** Bun for the target; undefined lets Bun download it. */
  readonly bun: string | undefined;
  readonly outfile: string;
  /** Default: the program. Below `project`. */
  readonly entry?: string;
}

/**
 * One file that runs with nothing beside it. @throws Error with what the bundler said
 *
 * Bytecode halves the time to start. Names stay as they are, so that a stack trace in a log can be read. A compiled
 * file would read `bunfig.toml` (which can name code to run) and `.env` of the folder it is started in, which is a
 * workspace of other people's files: neither is.
 */
export async function compile({ project, target, bun, outfile, entry = PROGRAM }: CompileOptions): Promise<void> {
  const command = [
    ...[process.execPath, "build", "--compile", `--target=${target.bun}`, `--outfile=${outfile}`],
    ...[
      "--format=esm",
      "--entry-naming=[name].[ext]",
      "--bytecode",
      "--minify-syntax",
      "--minify-whitespace",
      "--sourcemap=none",
    ],
    ...["--no-compile-autoload-dotenv", "--no-compile-autoload-bunfig"],
    ...["--no-compile-autoload-tsconfig", "--no-compile-autoload-package-json"],
    ...(bun === undefined ? [] : [`--compile-executable-path=${bun}`]),
    ...[entry, THREADS].map((each) => join(project, each)),
  ];
  const child = Bun.spawn(command, { cwd: project, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, err, status] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (status !== 0) throw new Error(`${target.name} cannot be compiled:\n${err}${out}`.trim());
}
