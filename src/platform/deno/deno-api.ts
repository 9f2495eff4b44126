/**
 * What this room uses of the global `Deno`. Written out, because the whole tree is type-checked for Bun, whose types and
 * Deno's own contradict each other; the tests of test/runtimes hold it to the truth.
 */
interface DenoApi {
  serve(options: DenoServeOptions, handler: DenoHandler): DenoHttpServer;
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

/** @throws TypeError at the first use on another runtime */
export const deno = (globalThis as unknown as { readonly Deno: DenoApi }).Deno;
