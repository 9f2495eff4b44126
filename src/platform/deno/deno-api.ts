/**
 * What this room uses of the global `Deno`. Written out, because the whole tree is type-checked for Bun, whose types and
 * Deno's own contradict each other; the tests of test/runtimes hold it to the truth.
 */
interface DenoApi {
  serve(options: DenoServeOptions, handler: DenoHandler): DenoHttpServer;
  /** @throws TypeError for a request that is no handshake */
  upgradeWebSocket(
    request: Request,
    options: { readonly idleTimeout: number },
  ): { readonly socket: DenoSocket; readonly response: Response };
}

interface DenoServeOptions {
  readonly hostname: string;
  readonly port: number;
  readonly signal: AbortSignal;
  readonly onListen: () => void;
}

type DenoHandler = (request: Request, info: DenoServeInfo) => Response | Promise<Response>;

interface DenoServeInfo {
  /** Resolves when the answer has been delivered; rejects when the connection ended before. */
  readonly completed: Promise<void>;
}

export interface DenoHttpServer {
  readonly addr: { readonly port: number };
  readonly finished: Promise<void>;
}

/** A web-standard WebSocket. */
export interface DenoSocket {
  readonly readyState: number;
  readonly bufferedAmount: number;
  addEventListener(type: "open" | "close", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

/** @throws TypeError at the first use on another runtime */
export const deno = (globalThis as unknown as { readonly Deno: DenoApi }).Deno;
