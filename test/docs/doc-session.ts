import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const REPOSITORY = resolve(import.meta.dir, "../..");
/** What a clone holds that a command may need. */
const CHECKOUT = ["src", "scripts", "config", "package.json", "bun.lock", "bunfig.toml"];
const BLOCK_MS = 120_000;
const STOP_MS = 15_000;

export interface BlockResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Where the commands of one document run: a checkout of their own (also the workspace), one shell's folder and exported variables
 * from block to block, and one server.
 */
export class DocSession {
  readonly #checkout: string;
  readonly #state: string;
  readonly #environment: Record<string, string>;
  #server: Bun.Subprocess<"ignore", "pipe", "pipe"> | undefined;

  constructor(folder: string) {
    this.#checkout = join(folder, "comfyvn-cloud-sync");
    this.#state = join(folder, "state");
    const tools = join(folder, "tools");
    for (const each of [this.#checkout, this.#state, tools]) mkdirSync(each, { recursive: true });
    for (const name of CHECKOUT) cpSync(join(REPOSITORY, name), join(this.#checkout, name), { recursive: true });
    symlinkSync(join(REPOSITORY, "node_modules"), join(this.#checkout, "node_modules"));
    writeTool(join(tools, "bun"), `exec "${process.execPath}" "$@"`);
    // The pinned bun is the one that runs this; fetching it again would need the network.
    writeTool(
      join(tools, "npx"),
      `[ "$1 $2" = "-y bun@${Bun.version}" ] || exit 64\nshift 2\nexec "${process.execPath}" "$@"`,
    );
    writeTool(join(tools, "comfyvn-sync"), `exec "${process.execPath}" "${join(this.#checkout, "src/main.ts")}" "$@"`);
    this.#environment = {
      PATH: `${tools}:${process.env["PATH"] ?? "/usr/bin:/bin"}`,
      HOME: folder,
      TMPDIR: folder,
      COMFYVN_PORT: "0",
    };
  }

  async run(script: string): Promise<BlockResult> {
    if (script.includes("BASE_URL") && this.#server === undefined) await this.startServer("bun run serve");
    const child = this.#spawn(script);
    const timer = setTimeout(() => killGroup(child.pid, "SIGKILL"), BLOCK_MS);
    const [stdout, stderr, status] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    clearTimeout(timer);
    return { stdout, stderr, status };
  }

  /** Starts what serves, waits until it listens, and sets BASE_URL for the blocks that follow. @throws Error when it ends first */
  async startServer(script: string): Promise<void> {
    await this.stop();
    const child = this.#spawn(script);
    this.#server = child;
    const said = new Response(child.stderr).text();
    const timer = setTimeout(() => killGroup(child.pid, "SIGKILL"), BLOCK_MS);
    let stdout = "";
    for await (const chunk of child.stdout) {
      stdout += new TextDecoder().decode(chunk);
      const address = /listening on (http:\/\/\S+)\n/.exec(stdout)?.[1];
      if (address === undefined) continue;
      clearTimeout(timer);
      this.#environment["BASE_URL"] = address;
      return;
    }
    clearTimeout(timer);
    throw new Error(`the server ended with status ${await child.exited} before it listened\n${stdout}${await said}`);
  }

  /** Ends the server, if one runs. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    killGroup(server.pid, "SIGTERM");
    const timer = setTimeout(() => killGroup(server.pid, "SIGKILL"), STOP_MS);
    await server.exited;
    clearTimeout(timer);
  }

  #spawn(script: string) {
    const variables = join(this.#state, "variables");
    const folder = join(this.#state, "folder");
    const before = existsSync(variables) ? readFileSync(variables, "utf8") : "";
    const cwd = existsSync(folder) ? readFileSync(folder, "utf8").trim() : this.#checkout;
    const after = `trap 'export -p > "${variables}"; pwd > "${folder}"' EXIT`;
    // BASE_URL is the present server's, not the one of the block before.
    const base = this.#environment["BASE_URL"] === undefined ? "" : `export BASE_URL=${this.#environment["BASE_URL"]}`;
    return Bun.spawn(["bash", "-euo", "pipefail", "-c", [before, base, after, script].join("\n")], {
      cwd,
      env: this.#environment,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      detached: true,
    });
  }
}

function writeTool(path: string, script: string): void {
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

/** A block's shell leads a group of its own, so that nothing it started outlives it. */
function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone, which is what was wanted.
  }
}
