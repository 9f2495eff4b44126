import { App } from "../app.ts";
import { SyncError } from "../core/errors.ts";
import type { Platform, RunningServer } from "../platform/contract.ts";
import { startServer } from "../server/server.ts";

/** SIGTERM to exit: in-flight runs get most of it to stop cleanly. */
const STOP_GRACE_MS = 9_000;

export interface ServeOptions {
  /** Default COMFYVN_ROOT, then the current folder. */
  readonly root?: string | undefined;
  /** Default COMFYVN_HOST, then the config's `server.host`, then loopback. */
  readonly host?: string | undefined;
  /** Default COMFYVN_PORT, then the config's first `server.ports`, then 8001. 0 = any free one. */
  readonly port?: string | undefined;
}

/**
 * Serves the workspace until SIGTERM or SIGINT. Prints one line on stdout when ready: `listening on http://HOST:PORT`.
 * @returns the exit status
 */
export async function serve(platform: Platform, options: ServeOptions): Promise<number> {
  const app = await openApp(platform, options.root);
  try {
    const server = await listen(app, options);
    console.log(`listening on http://${urlHost(server.host)}:${server.port}`);
    await platform.terminated();
    await server.stop(STOP_GRACE_MS);
    return 0;
  } finally {
    app.close();
  }
}

/** The workspace's App with the passphrase from the environment. @throws SyncError `root_missing` */
export function openApp(platform: Platform, root: string | undefined): Promise<App> {
  return App.open({
    platform,
    root: root ?? platform.env("COMFYVN_ROOT") ?? ".",
    passphrase: () => platform.env("COMFYVN_SECRETS_KEY"),
    complain: (line) => console.error(line),
  });
}

/** Flags win over the environment, the environment over the config file. */
export async function listen(app: App, options: Pick<ServeOptions, "host" | "port">): Promise<RunningServer> {
  const { platform } = app;
  const given = options.port ?? platform.env("COMFYVN_PORT");
  const host = options.host ?? platform.env("COMFYVN_HOST");
  const needsSettings = given === undefined || host === undefined;
  const { server } = needsSettings ? await app.settings() : { server: { host: "", port: 0 } };
  return await startServer(app, {
    host: host ?? server.host,
    port: given === undefined ? server.port : parsePort(given),
    token: platform.env("COMFYVN_API_TOKEN"),
  });
}

/** @throws SyncError `usage` */
function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new SyncError("usage", "a port is a number from 0 to 65535; 0 takes any free one");
}

function urlHost(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}
