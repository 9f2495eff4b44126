import type { RunningServer, ServeOptions } from "../contract.ts";
import { listenError } from "../node/listen-error.ts";
import { type DenoHttpServer, deno } from "./deno-api.ts";
import { acceptOnDeno } from "./deno-socket.ts";

/** HTTP by Deno.serve. @throws SyncError `port_in_use`, `server_host_refused` */
export async function serveOnDeno(options: ServeOptions): Promise<RunningServer> {
  const open = new Set<Promise<void>>();
  const closing = new AbortController();
  const acceptSocket = acceptOnDeno(options.socketMessageBytesMax);
  let stopping = false;
  let server: DenoHttpServer;
  try {
    server = deno.serve(
      {
        hostname: withoutBrackets(options.host),
        port: options.port,
        signal: closing.signal,
        // Deno says where it listens on stdout, which is not its to write to.
        onListen: () => undefined,
      },
      (request, { completed }) => {
        if (stopping) return new Response(undefined, { status: 503, headers: { connection: "close" } });
        const delivered = completed.catch(() => undefined);
        open.add(delivered);
        void delivered.then(() => open.delete(delivered));
        return options.fetch(request, acceptSocket);
      },
    );
  } catch (error) {
    throw listenError(options, error);
  }
  return {
    host: options.host,
    port: server.addr.port,
    stop: async (graceMs) => {
      stopping = true;
      await settledWithin([...open], graceMs);
      // Not `shutdown()`: once it waits, nothing closes what is still open (Deno 2.9).
      closing.abort();
      await server.finished;
    },
  };
}

/** Deno takes `::1`, URLs `[::1]`. */
function withoutBrackets(host: string): string {
  return host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
}

async function settledWithin(promises: readonly Promise<void>[], ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([Promise.all(promises), late]);
  clearTimeout(timer);
}
