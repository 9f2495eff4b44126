import { SyncError } from "../../core/errors.ts";
import type { CommandLine } from "../command-line.ts";
import { ProgressLine } from "../progress/progress-line.ts";
import { withApp, type WorkspaceFlags } from "../workspace.ts";
import { isOpenToOthers, serverAddress } from "./server-address.ts";
import { ServerClient, type StudioApi } from "./server-client.ts";
import { type Watched, watchProgress } from "./server-progress.ts";

export interface ServerFlags extends WorkspaceFlags {
  /** A running server that does the work, in its own workspace and with its own passphrase. */
  readonly server?: string;
}

/**
 * Runs `use` with the API of this process or, with --server, of a running server.
 * @param watched whose progress a server is asked for; in this process every event is drawn
 * @throws SyncError `usage`, `server_unreachable`, `unauthorized`, and as withApp
 */
export async function withApi<T>(
  cli: CommandLine,
  flags: ServerFlags,
  use: (api: StudioApi, progress: ProgressLine) => Promise<T>,
  watched?: Watched,
): Promise<T> {
  if (flags.server === undefined) return await withApp(cli, flags, use);
  const client = await connect(cli, flags, flags.server);
  const progress = new ProgressLine(cli.platform);
  const done = new AbortController();
  const watching =
    watched === undefined
      ? undefined
      : watchProgress(client, watched, progress, AbortSignal.any([done.signal, cli.signal]));
  try {
    return await use(client, progress);
  } finally {
    done.abort();
    await watching;
    progress.clear();
  }
}

async function connect(cli: CommandLine, flags: ServerFlags, server: string): Promise<ServerClient> {
  if (flags.root !== undefined || flags.passphraseFile !== undefined) {
    throw new SyncError(
      "usage",
      "--server works in the server's workspace with the server's passphrase; leave --root and --passphrase-file out",
    );
  }
  const address = serverAddress(server);
  const token = cli.platform.env("COMFYVN_API_TOKEN");
  if (token !== undefined && isOpenToOthers(address)) {
    cli.warn(`${address} is not encrypted: others on the way can read the token of COMFYVN_API_TOKEN`);
  }
  const client = new ServerClient({ address, token, signal: cli.signal });
  await client.greet();
  return client;
}
