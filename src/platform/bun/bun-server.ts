import type { RunningServer, ServeOptions } from "../contract.ts";
import { acceptOnBun, answerOf, bunSockets, type SocketData } from "./bun-socket.ts";
import { listenError } from "../node/listen-error.ts";

/** Seconds a connection may be silent: a run streams nothing until it ends, so the server does not cut it off. */
const IDLE_TIMEOUT_OFF = 0;

/** HTTP by Bun.serve. @throws SyncError `port_in_use`, `server_host_refused` */
export async function serveOnBun(options: ServeOptions): Promise<RunningServer> {
  let server: Bun.Server<SocketData>;
  try {
    server = Bun.serve({
      hostname: options.host,
      port: options.port,
      idleTimeout: IDLE_TIMEOUT_OFF,
      fetch: (request, self) => {
        const answer = options.fetch(request, acceptOnBun(self));
        // What is ready goes out in this turn.
        return answer instanceof Promise ? answer.then(answerOf) : answerOf(answer);
      },
      websocket: bunSockets(options.socketMessageBytesMax),
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
