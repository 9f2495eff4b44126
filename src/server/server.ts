import type { App } from "../app.ts";
import { systemClock } from "../core/clock.ts";
import { SyncError, toSyncError } from "../core/errors.ts";
import type { RunningServer, ServeOptions } from "../platform/contract.ts";
import { createApi } from "./api.ts";
import { acceptHookSocket, SOCKET_MESSAGE_BYTES_MAX } from "./hook-socket.ts";
import { problemResponse } from "./problem.ts";
import { type AccessPolicy, checkAccess } from "./security/access.ts";
import { AllowedHosts, isLoopback } from "./security/allowed-hosts.ts";
import { ApiToken, checkTokenForm } from "./security/api-token.ts";

/** How long in-flight requests may take to end cleanly after SIGTERM; the contract allows ten seconds in all. */
const STOP_GRACE_MS = 8_000;
/** How long a webhook that is being sent may take after that; it stays queued otherwise. */
const WEBHOOK_GRACE_MS = 1_000;

export interface ServerOptions {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  /** COMFYVN_API_TOKEN; required for any host but loopback. */
  readonly token: string | undefined;
}

/**
 * Starts the HTTP API of `app`.
 * @throws SyncError `server_host_refused` for a host that others can reach without a token; `port_in_use`
 */
export async function startServer(app: App, options: ServerOptions): Promise<RunningServer> {
  const { host, token } = options;
  if (token !== undefined) checkTokenForm(token);
  else if (!isLoopback(host)) {
    throw new SyncError(
      "server_host_refused",
      `${host} can be reached from other machines: set COMFYVN_API_TOKEN to a long random text first, or listen on 127.0.0.1`,
    );
  }
  // Known once the port is; a request that is faster is refused.
  const address: { hosts?: AllowedHosts } = {};
  const stopping = new AbortController();
  const policy: AccessPolicy = {
    hosts: () => address.hosts,
    token: token === undefined ? undefined : new ApiToken(token, app.platform.newHasher, systemClock),
  };
  await app.hooks.keep({ ...app.platform, root: app.root });
  const server = await app.platform.serve({
    host,
    port: options.port,
    fetch: createHandler(app, policy, stopping.signal),
    socketMessageBytesMax: SOCKET_MESSAGE_BYTES_MAX,
  });
  address.hosts = new AllowedHosts({ host, port: server.port });
  app.webhooks.start();
  return {
    host: server.host,
    port: server.port,
    stop: async (graceMs) => {
      stopping.abort();
      app.hooks.endReaders();
      await server.stop(Math.min(graceMs, STOP_GRACE_MS));
      // Last: what ended just now has been queued.
      await app.webhooks.stop(Math.min(graceMs, WEBHOOK_GRACE_MS));
    },
  };
}

/** The whole API as a fetch handler. Every failure leaves it as problem+json. */
function createHandler(app: App, policy: AccessPolicy, stopping: AbortSignal): ServeOptions["fetch"] {
  const { elysia } = createApi(app, stopping, (thrown) => {
    const error = toSyncError(thrown);
    if (error.code === "internal") app.log.write("error", "server.error", { error: rootMessage(error) });
    return problemResponse(error);
  });
  return (request, acceptSocket) => {
    try {
      checkAccess(request, policy);
    } catch (error) {
      return problemResponse(error);
    }
    return acceptHookSocket(app, request, acceptSocket) ?? elysia.fetch(request);
  };
}

/** What an unexpected error was in the end, for the log: its answer does not say. */
function rootMessage(error: Error): string {
  let root = error;
  while (root.cause instanceof Error) root = root.cause;
  return root.stack ?? root.message;
}
