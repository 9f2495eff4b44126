import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT } from "../runtime.ts";

/** The conditions under which bundlers for workers choose a package's files. */
const CONDITIONS = ["workerd", "worker"];

/** `entry` and all it imports as one module for a worker. @throws AggregateError */
export async function bundleForWorkers(entry: string): Promise<string> {
  const { outputs } = await Bun.build({
    entrypoints: [join(PROJECT, entry)],
    target: "browser",
    format: "esm",
    conditions: CONDITIONS,
  });
  const [bundle] = outputs;
  if (bundle === undefined || outputs.length > 1) throw new Error(`${entry} gives ${outputs.length} files`);
  return await bundle.text();
}

/** What a bundle asks of its runtime by name. */
export function importsOf(bundle: string): string[] {
  return new Bun.Transpiler({ loader: "js" }).scanImports(bundle).map(({ path }) => path);
}

export interface RunningWorker {
  readonly base: string;
  stop(): Promise<void>;
}

/** Runs `entry` in workerd on a free port of loopback. `folder` takes what it reads. */
export async function startWorker(
  entry: string,
  folder: string,
  bindings: Readonly<Record<string, string>> = {},
): Promise<RunningWorker> {
  writeFileSync(join(folder, "worker.js"), await bundleForWorkers(entry));
  writeFileSync(join(folder, "config.capnp"), configOf(bindings));
  const command = [workerdProgram(), "serve", "config.capnp", "--socket-addr=http=127.0.0.1:0", "--control-fd=1"];
  const child = Bun.spawn(command, { cwd: folder, env: {}, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const stop = async () => {
    child.kill("SIGKILL");
    await child.exited;
  };
  try {
    return { base: `http://127.0.0.1:${await portOf(child)}`, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** workerd says `{"event":"listen","socket":"http","port":8080}` once it does. */
async function portOf(child: Bun.Subprocess<"ignore", "pipe", "pipe">): Promise<number> {
  let text = "";
  for await (const chunk of child.stdout) {
    text += new TextDecoder().decode(chunk);
    const port = /"port":(\d+)/.exec(text)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error(`workerd ended before it listened: ${await new Response(child.stderr).text()}`);
}

/** The native program: the package's command is a script around it. */
function workerdProgram(): string {
  const system = { linux: "linux", darwin: "darwin", win32: "windows" }[process.platform as string] ?? process.platform;
  const processor = process.arch === "x64" ? "64" : process.arch;
  const name = process.platform === "win32" ? "workerd.exe" : "workerd";
  return join(PROJECT, "node_modules/@cloudflare", `workerd-${system}-${processor}`, "bin", name);
}

/** The compatibility date is that of the installed workerd, which refuses later ones. */
function configOf(bindings: Readonly<Record<string, string>>): string {
  const { version } = JSON.parse(readFileSync(join(PROJECT, "node_modules/workerd/package.json"), "utf8")) as {
    version: string;
  };
  const [year, month, day] = /^1\.(\d{4})(\d{2})(\d{2})\./.exec(version)?.slice(1) ?? [];
  const texts = Object.entries(bindings).map(([name, value]) => `(name = "${name}", text = ${JSON.stringify(value)})`);
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (allow = ["local", "private", "public"])),
  ],
  sockets = [(name = "http", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "${year}-${month}-${day}",
  bindings = [${texts.join(", ")}],
);
`;
}
