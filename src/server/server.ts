import { Elysia } from "elysia";
import type { App } from "../app.ts";
import { SyncError, toSyncError } from "../core/errors.ts";
import type { RunningServer } from "../platform/contract.ts";
import { problemResponse } from "./problem.ts";
import { backupRoutes } from "./routes/backup-routes.ts";
import { healthRoutes } from "./routes/health-routes.ts";
import { syncRoutes } from "./routes/sync-routes.ts";
import { type AccessPolicy, checkAccess, isLoopback, type Listening } from "./security.ts";

/** How long in-flight requests may take to end cleanly after SIGTERM; the contract allows ten seconds in all. */
const STOP_GRACE_MS = 8_000;

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
  if (!isLoopback(options.host) && options.token === undefined) {
    throw new SyncError(
      "server_host_refused",
      `${options.host} can be reached from other machines: set COMFYVN_API_TOKEN to a long random text first, or listen on 127.0.0.1`,
    );
  }
  // Filled in once the port is known; a request that is faster is refused.
  const address: { listening?: Listening } = {};
  const stopping = new AbortController();
  const handler = createHandler(app, { listening: () => address.listening, token: options.token }, stopping.signal);
  const server = await app.platform.serve({ host: options.host, port: options.port, fetch: handler });
  address.listening = { host: options.host, port: server.port };
  return {
    host: server.host,
    port: server.port,
    stop: async (graceMs) => {
      stopping.abort();
      await server.stop(Math.min(graceMs, STOP_GRACE_MS));
    },
  };
}

const GET_ROUTES: ReadonlySet<string> = new Set(["/api/health", "/api/sync/manifest", "/api/backup"]);
const POST_ROUTES: ReadonlySet<string> = new Set([
  "/api/sync/dry_run",
  "/api/sync/run",
  "/api/backup/create",
  "/api/backup/restore",
  "/api/backup/verify",
]);

/** The whole API as a fetch handler. Every failure leaves it as problem+json. */
function createHandler(app: App, policy: AccessPolicy, stopping: AbortSignal): (request: Request) => Promise<Response> {
  const signalOf = (request: Request) => AbortSignal.any([request.signal, stopping]);
  const elysia = new Elysia()
    .onError(({ error, code, path }) => {
      const cause = toSyncError(code === "NOT_FOUND" ? unknownRoute(path) : sourceOf(error));
      if (cause.code === "internal") app.log.write("error", "server.error", { error: rootMessage(cause) });
      return problemResponse(cause);
    })
    .use(healthRoutes(app))
    .use(syncRoutes(app, signalOf))
    .use(backupRoutes(app, signalOf));
  return async (request) => {
    try {
      await checkAccess(request, policy);
    } catch (error) {
      return problemResponse(error);
    }
    return await elysia.handle(request);
  };
}

function unknownRoute(path: string): SyncError {
  if (GET_ROUTES.has(path)) return new SyncError("method_not_allowed", "this address takes GET");
  if (POST_ROUTES.has(path)) return new SyncError("method_not_allowed", "this address takes POST");
  return new SyncError(
    "not_found",
    "there is nothing at this address; GET /api/health tells whether the server is well",
  );
}

/** Elysia wraps what a hook throws. */
function sourceOf(error: unknown): unknown {
  if (error instanceof SyncError) return error;
  if (error instanceof Error && error.cause instanceof SyncError) return error.cause;
  return error;
}

/** What an unexpected error was in the end, for the log: its answer does not say. */
function rootMessage(error: Error): string {
  let root = error;
  while (root.cause instanceof Error) root = root.cause;
  return root.stack ?? root.message;
}
