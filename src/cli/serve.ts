import { Command } from "commander";
import type { App } from "../app.ts";
import { type Settings, SERVER_DEFAULT } from "../config/settings.ts";
import { SyncError } from "../core/errors.ts";
import type { RunningServer } from "../platform/contract.ts";
import type { CommandLine } from "./command-line.ts";
import { withHelp } from "./help.ts";
import { withPassphrase } from "./options.ts";
import { openApp, type WorkspaceFlags } from "./workspace.ts";

/** SIGTERM to exit: in-flight runs get most of it to stop cleanly. */
const STOP_GRACE_MS = 9_000;

interface ServeFlags extends WorkspaceFlags {
  /** Default COMFYVN_HOST, then the config's `server.host`, then loopback. */
  readonly host?: string;
  /** Default COMFYVN_PORT, then the config's first `server.ports`, then 8001. 0 = any free one. */
  readonly port?: string;
}

/**
 * `serve`: the HTTP API of the workspace until it is told to stop. Prints one line on stdout when ready: `listening on
 * http://HOST:PORT`.
 */
export function serveCommand(cli: CommandLine): Command {
  const command = withPassphrase(
    new Command("serve")
      .summary("serve the workspace's HTTP API")
      .description("serve the workspace's HTTP API until SIGTERM or Ctrl-C")
      .option("--host <address>", "where to listen (default: COMFYVN_HOST, the config's server.host, 127.0.0.1)")
      .option("--port <number>", "0 takes any free one (default: COMFYVN_PORT, the config's server.ports, 8001)"),
  );
  withHelp(command, {
    words: `
Prints one line when it is ready: listening on http://HOST:PORT. What happens is
written to logs/server.log in the workspace. Ctrl-C ends it once running work has
stopped cleanly.`,
    examples: [
      ["for this machine, on port 8001", "comfyvn-sync serve"],
      ["another workspace, any free port", "comfyvn-sync serve --root ~/studio --port 0"],
      [
        "for other machines: only with a token",
        "COMFYVN_API_TOKEN=$(cat ~/studio.token) comfyvn-sync serve --host 0.0.0.0",
      ],
    ],
  });
  return cli.action(command, async (called) => {
    const flags = called.optsWithGlobals<ServeFlags>();
    // A server asks nobody: its vault stays locked without a passphrase.
    const app = await openApp(cli, flags, { asks: false });
    try {
      const terminated = cli.platform.terminated();
      const server = await listen(cli, app, flags);
      await cli.print(`listening on ${addressOf(server)}`);
      await terminated;
      await server.stop(STOP_GRACE_MS);
    } finally {
      app.close();
    }
  });
}

/** `http://HOST:PORT` */
export function addressOf({ host, port }: RunningServer): string {
  return `http://${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${port}`;
}

/** Flags win over the environment, the environment over the config file. */
async function listen(cli: CommandLine, app: App, flags: ServeFlags): Promise<RunningServer> {
  const { platform } = app;
  const given = flags.port ?? platform.env("COMFYVN_PORT");
  const port = given === undefined ? undefined : parsePort(given);
  const host = flags.host ?? platform.env("COMFYVN_HOST");
  if (host === "") throw new SyncError("usage", "--host is empty; name the address to listen on, like 127.0.0.1");
  const token = platform.env("COMFYVN_API_TOKEN");
  // Other commands start without what a server needs.
  const { startServer } = await import("../server/server.ts");
  if (host !== undefined && port !== undefined) return await startServer(app, { host, port, token });
  const server = await configuredServer(cli, app);
  return await startServer(app, { host: host ?? server.host, port: port ?? server.port, token });
}

/** A damaged config file does not keep the server down: every gated request says what is wrong with it. */
async function configuredServer(cli: CommandLine, app: App): Promise<Settings["server"]> {
  try {
    return (await app.settings()).server;
  } catch (error) {
    if (!(error instanceof SyncError) || (error.code !== "config_malformed" && error.code !== "config_invalid"))
      throw error;
    cli.note(`${error.message}; its server settings are not used`);
    return SERVER_DEFAULT;
  }
}

/** @throws SyncError `usage` */
function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new SyncError("usage", "a port is a number from 0 to 65535; 0 takes any free one");
}
