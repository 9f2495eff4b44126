import { hostname } from "node:os";
import { SyncError } from "../../core/errors.ts";
import type { Platform, RunningServer, ServeOptions } from "../contract.ts";
import { nodeCompression } from "../node/node-compression.ts";
import { openDatabase } from "../node/node-database.ts";
import { nodeFiles } from "../node/node-files.ts";
import { nodeTerminal } from "../node/node-terminal.ts";
import { newNodeHasher } from "../node/node-hasher.ts";
import { nodeThreads } from "../node/node-threads.ts";
import { nodeTree } from "../node/node-tree.ts";
import { openNodeTreeWriter } from "../node/node-tree-writer.ts";
import { systemCode } from "../node/system-error.ts";
import { onTermination, terminated } from "../node/terminated.ts";

/** Home: files and tree through node:fs, HTTP through Bun's own. */
export function bunPlatform(): Platform {
  keepLoopbackOffProxies();
  return {
    runtime: "bun",
    files: nodeFiles,
    tree: nodeTree,
    openTreeWriter: openNodeTreeWriter,
    compression: nodeCompression,
    newHasher: newNodeHasher,
    threads: nodeThreads,
    openDatabase,
    machineName: () => `${hostname()}, process ${process.pid}`,
    env: (name) => {
      const value = process.env[name];
      return value === "" ? undefined : value;
    },
    terminal: nodeTerminal,
    terminated,
    onTermination,
    serve,
  };
}

const LOOPBACK = ["localhost", "127.0.0.1", "::1", "[::1]"];

/**
 * Bun's fetch asks the proxy of the environment for addresses of this machine too, which no proxy can reach. The lower-case
 * name wins when both are set.
 */
function keepLoopbackOffProxies(): void {
  for (const name of ["no_proxy", "NO_PROXY"]) {
    const listed = process.env[name]?.split(",").filter((host) => host.trim() !== "") ?? [];
    if (name === "no_proxy" && listed.length === 0) continue;
    process.env[name] = [...new Set([...listed, ...LOOPBACK])].join(",");
  }
}

/** Seconds a connection may be silent: a run streams nothing until it ends, so the server does not cut it off. */
const IDLE_TIMEOUT_OFF = 0;

async function serve(options: ServeOptions): Promise<RunningServer> {
  let server: Bun.Server<undefined>;
  try {
    server = Bun.serve({
      hostname: options.host,
      port: options.port,
      idleTimeout: IDLE_TIMEOUT_OFF,
      fetch: (request) => options.fetch(request),
    });
  } catch (error) {
    throw listenError(options, error);
  }
  return {
    host: options.host,
    port: server.port ?? options.port,
    stop: async (graceMs) => {
      const forced = setTimeout(() => void server.stop(true), graceMs);
      await server.stop();
      clearTimeout(forced);
    },
  };
}

function listenError(options: ServeOptions, error: unknown): SyncError {
  if (systemCode(error) === "EADDRINUSE") {
    return new SyncError(
      "port_in_use",
      `port ${options.port} is in use; stop the other server or choose another with --port`,
      {
        cause: error,
      },
    );
  }
  return new SyncError(
    "server_host_refused",
    `cannot listen on ${options.host}:${options.port}; check --host and --port`,
    {
      cause: error,
    },
  );
}
