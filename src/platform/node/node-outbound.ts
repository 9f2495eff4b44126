import { lookup } from "node:dns/promises";
import { type ClientRequest, type IncomingMessage, request as requestHttp, type RequestOptions } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP } from "node:net";
import type { Outbound, PinnedPost, PostOutcome } from "../contract.ts";
import { systemCode } from "./system-error.ts";

/**
 * HTTP through node:http and node:https, which Bun and Deno carry alike. fetch cannot be told which address to connect
 * to; here the address is the host, and the name goes into SNI, the certificate's check and the Host header only.
 */
export const nodeOutbound: Outbound = { addressesOf, post };

async function addressesOf(host: string): Promise<readonly string[]> {
  try {
    return (await lookup(host, { all: true, order: "verbatim" })).map(({ address }) => address);
  } catch {
    return [];
  }
}

async function post(request: PinnedPost): Promise<PostOutcome> {
  if (request.signal?.aborted === true) return { failure: "aborted" };
  return await new Promise((resolve) => new Exchange(request, resolve).start());
}

/** One request and its answer. The first thing that ends it counts, but for a status: once known, that is the outcome. */
class Exchange {
  #answered: PostOutcome | undefined;
  #outgoing: ClientRequest | undefined;
  readonly #timer: ReturnType<typeof setTimeout>;

  constructor(
    private readonly request: PinnedPost,
    private readonly resolve: (outcome: PostOutcome) => void,
  ) {
    this.#timer = setTimeout(() => this.#end({ failure: "timeout" }), request.timeoutMs);
    request.signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  start(): void {
    const { url, body } = this.request;
    try {
      const outgoing =
        url.protocol === "https:" ? requestHttps(tlsOptions(this.request)) : requestHttp(options(this.request));
      this.#outgoing = outgoing;
      outgoing.on("error", (error) => this.#end({ failure: failureOf(error) }));
      outgoing.on("response", (answer) => this.#drain(answer));
      outgoing.end(body);
    } catch {
      // A header or address that the runtime does not take.
      this.#end({ failure: "broken" });
    }
  }

  /** Read to its end, so that the receiver can write it in peace, but never more than was asked for. */
  #drain(answer: IncomingMessage): void {
    const outcome = { status: answer.statusCode ?? 0, retryAfter: answer.headers["retry-after"] };
    this.#answered = outcome;
    let bytes = 0;
    answer.on("data", (chunk: Uint8Array) => {
      bytes += chunk.byteLength;
      if (bytes > this.request.answerBytesMax) this.#end(outcome);
    });
    for (const ending of ["end", "error", "close"] as const) answer.on(ending, () => this.#end(outcome));
  }

  readonly #onAbort = (): void => this.#end({ failure: "aborted" });

  #end(outcome: PostOutcome): void {
    clearTimeout(this.#timer);
    this.request.signal?.removeEventListener("abort", this.#onAbort);
    this.resolve(this.#answered ?? outcome);
    this.#outgoing?.destroy();
  }
}

function options({ url, address, headers, body }: PinnedPost): RequestOptions {
  return {
    method: "POST",
    host: address,
    port: url.port === "" ? undefined : Number(url.port),
    path: `${url.pathname}${url.search}`,
    headers: { ...headers, host: url.host, "content-length": body.byteLength },
    // A connection of its own: a pooled one might lead to an address that was looked at long ago.
    agent: false,
  };
}

/** Server names are names: for an address, the certificate is held against the address. */
function tlsOptions(request: PinnedPost): RequestOptions & { servername?: string } {
  const name = request.url.hostname.replace(/\.$/, "");
  return { ...options(request), ...(isIP(name.replace(/^\[(.*)\]$/, "$1")) === 0 ? { servername: name } : {}) };
}

const UNREACHABLE = new Set(["ECONNREFUSED", "ENETUNREACH", "EHOSTUNREACH", "EADDRNOTAVAIL", "EHOSTDOWN"]);
const TLS = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|EPROTO|HOSTNAME_MISMATCH)/;

function failureOf(error: unknown): "unreachable" | "tls" | "broken" {
  const code = systemCode(error) ?? "";
  if (UNREACHABLE.has(code)) return "unreachable";
  return TLS.test(code) ? "tls" : "broken";
}
