import type { Command } from "commander";
import { loadSettings, SERVER_DEFAULT } from "../../config/settings.ts";
import { SyncError } from "../../core/errors.ts";
import type { CommandLine, CommonFlags } from "../command-line.ts";
import { isOpenToOthers, serverAddress } from "../remote/server-address.ts";
import { ServerClient } from "../remote/server-client.ts";
import { serverProblem } from "../remote/server-problem.ts";
import { workspaceRoot } from "../workspace.ts";

export interface RunningServerFlags extends CommonFlags {
  /** Default: where `serve` would listen. */
  readonly server?: string;
}

/** `--server`, for commands that are about a server. */
export function withRunningServer(command: Command): Command {
  return command.option(
    "--server <url>",
    "address of the server (default: where serve listens, by COMFYVN_HOST, COMFYVN_PORT and the config; its token, if it has one: COMFYVN_API_TOKEN)",
  );
}

/** A server that runs. */
export interface RunningServer {
  readonly address: string;
  /** A good answer. @throws SyncError `server_unreachable`, and what the server answers otherwise */
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Response>;
}

/** Says nothing to the server yet. @throws SyncError `usage`, as workspaceRoot and loadSettings */
export async function runningServer(cli: CommandLine, flags: RunningServerFlags): Promise<RunningServer> {
  const address = flags.server === undefined ? await defaultAddress(cli, flags) : serverAddress(flags.server);
  const token = cli.platform.env("COMFYVN_API_TOKEN");
  if (token !== undefined && isOpenToOthers(address)) {
    cli.warn(`${address} is not encrypted: others on the way can read the token of COMFYVN_API_TOKEN`);
  }
  const client = new ServerClient({ address, token, signal: cli.signal, advice: "name another with --server" });
  return {
    address,
    get: async (path, headers = {}) => {
      const response = await client.fetch("GET", path, { headers: { ...headers } });
      if (response.ok) return response;
      throw serverProblem(address, response.status, await response.text());
    },
  };
}

async function defaultAddress(cli: CommandLine, flags: CommonFlags): Promise<string> {
  const { platform } = cli;
  const { server } = await loadSettings(platform.files, await workspaceRoot(cli, flags));
  const host = platform.env("COMFYVN_HOST") ?? server.host;
  const port = platform.env("COMFYVN_PORT") ?? String(server.port);
  // A server on all addresses of the machine is reached by loopback.
  const reached = host === "0.0.0.0" || host === "::" ? SERVER_DEFAULT.host : host;
  const url = `http://${reached.includes(":") && !reached.startsWith("[") ? `[${reached}]` : reached}:${port}`;
  if (URL.canParse(url)) return serverAddress(url);
  throw new SyncError("usage", "COMFYVN_HOST and COMFYVN_PORT name no address; give one with --server");
}
