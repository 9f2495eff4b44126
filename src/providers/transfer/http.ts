import { SyncError } from "../../core/errors.ts";
import type { Pacer } from "../../core/pacer.ts";
import { joined } from "./bytes.ts";

export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly flow?: BodyFlow | undefined;
  readonly signal?: AbortSignal | undefined;
  /** From the start to the head of the answer, milliseconds. */
  readonly answerMs: number;
  /** Between two pieces of the body, milliseconds. */
  readonly idleMs: number;
  readonly words: HttpWords;
}

/** What errors call things of the destination. */
export interface HttpWords {
  /** What the user checks when nothing answers, e.g. `the network and endpoint_url`. */
  readonly check: string;
  /** Whose certificate it is. */
  readonly host: string;
}

/** How a body goes out. */
export interface BodyFlow {
  /** Waited for before the bytes go out. */
  readonly pacer?: Pacer | undefined;
  /**
   * A large body goes out piece by piece and is not copied; else in one after its whole wait, since fetch would send
   * chunks of unknown number.
   */
  readonly inPieces: boolean;
  /** Called as soon as the last piece of a body in pieces is handed on, long before its answer. */
  readonly onSent?: (() => void) | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The whole body. @throws SyncError `provider_error` over `bytesMax` */
  readBytes(bytesMax: number): Promise<Uint8Array>;
  /** The body as it comes. It ends with an error, never quietly, when it is not `size` bytes. */
  stream(size: number): ReadableStream<Uint8Array>;
}

/**
 * One request by the global fetch. Redirects are answers, not followed: a signature is for one host.
 * @throws SyncError `aborted`, `provider_timeout`, `provider_unreachable`, `provider_config` (certificate not trusted)
 */
export async function exchange(request: HttpRequest): Promise<HttpAnswer> {
  const watch = new Watch(request);
  const init: RequestInit & { readonly decompress: boolean } = {
    method: request.method,
    headers: request.headers,
    redirect: "manual",
    signal: watch.signal,
    // Bun hands out what was stored; elsewhere a stored Content-Encoding is undone and the length check fails.
    decompress: false,
    ...(await bodyOf(request)),
  };
  const response = await watch.guard(request.answerMs, () => fetch(request.url, init), true);
  return answerOf(response, request.method, watch);
}

/** Pieces that a shaper's steps are not seen of, and few enough to cost nothing. */
const PACED_PIECE_BYTES = 64 * 1024;
const PIECE_BYTES = 256 * 1024;
/** Below, a stream costs more than the copy that fetch makes; and fetch sends bytes again when a kept connection broke. */
const IN_PIECES_BYTES_MIN = 2 * 1024 * 1024;

async function bodyOf(request: HttpRequest): Promise<RequestInit & { duplex?: "half" }> {
  const { body, headers, flow, signal } = request;
  if (body === undefined) return {};
  const large = flow?.pacer !== undefined ? body.length > 0 : body.length >= IN_PIECES_BYTES_MIN;
  if (flow === undefined || !flow.inPieces || !large) {
    await flow?.pacer?.take(body.length, signal);
    return { body: body as Uint8Array<ArrayBuffer> };
  }
  return {
    body: piecesOf(body, flow, signal),
    headers: { ...headers, "content-length": String(body.length) },
    duplex: "half",
  };
}

function piecesOf(body: Uint8Array, flow: BodyFlow, signal: AbortSignal | undefined): ReadableStream<Uint8Array> {
  const { pacer, onSent } = flow;
  const pieceBytes = pacer === undefined ? PIECE_BYTES : PACED_PIECE_BYTES;
  let sent = 0;
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const piece = body.subarray(sent, sent + pieceBytes);
        if (piece.length === 0) {
          onSent?.();
          return controller.close();
        }
        await pacer?.take(piece.length, signal);
        sent += piece.length;
        controller.enqueue(piece);
      },
    },
    { highWaterMark: 0 },
  );
}

function answerOf(response: Response, method: string, watch: Watch): HttpAnswer {
  const { status, headers } = response;
  const body = method === "HEAD" || status === 204 || headers.get("content-length") === "0" ? null : response.body;
  if (body === null) watch.end();
  return {
    status,
    headers,
    readBytes: async (bytesMax) => (body === null ? new Uint8Array(0) : await readBytes(body, watch, bytesMax)),
    stream: (size) => streamOf(body, watch, size, headers.has("content-encoding")),
  };
}

async function readBytes(body: ReadableStream<Uint8Array>, watch: Watch, bytesMax: number): Promise<Uint8Array> {
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const chunk = await watch.read(reader);
    if (chunk === undefined) break;
    length += chunk.length;
    if (length > bytesMax) {
      watch.cancel();
      throw new SyncError(
        "provider_error",
        `the store's answer is larger than any should be; check ${watch.words.check}`,
      );
    }
    chunks.push(chunk);
  }
  watch.end();
  return joined(chunks);
}

function streamOf(
  body: ReadableStream<Uint8Array> | null,
  watch: Watch,
  size: number,
  encoded: boolean,
): ReadableStream<Uint8Array> {
  const reader = body?.getReader();
  let received = 0;
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const chunk = reader === undefined ? undefined : await watch.read(reader);
        received += chunk?.length ?? 0;
        if (received > size || (chunk === undefined && received < size)) {
          watch.cancel();
          throw wrongLength(encoded);
        }
        if (chunk !== undefined) controller.enqueue(chunk);
        else {
          watch.end();
          controller.close();
        }
      },
      cancel: () => watch.cancel(),
    },
    { highWaterMark: 0 },
  );
}

function wrongLength(encoded: boolean): SyncError {
  if (encoded) {
    return new SyncError(
      "provider_error",
      "the object was stored by another tool with a Content-Encoding; it cannot be read byte for byte here",
    );
  }
  return new SyncError("provider_error", "the object's content came with another length than the store announced", {
    retryable: true,
  });
}

/** Ends a request when the caller wants it or when the far side has been silent for too long, and says which it was. */
class Watch {
  readonly words: HttpWords;
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #idleMs: number;
  readonly #onOuter = () => this.#controller.abort();
  #late = false;

  constructor({ signal: outer, idleMs, words }: HttpRequest) {
    this.words = words;
    this.#outer = outer;
    this.#idleMs = idleMs;
    if (outer?.aborted === true) this.#controller.abort();
    else outer?.addEventListener("abort", this.#onOuter, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Runs `work`, which must end within `ms`. */
  async guard<T>(ms: number, work: () => Promise<T>, connecting: boolean): Promise<T> {
    const timer = setTimeout(() => {
      this.#late = true;
      this.#controller.abort();
    }, ms);
    try {
      return await work();
    } catch (error) {
      this.end();
      throw this.#errorFrom(error, connecting);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The next piece of a body; undefined at its end. */
  async read(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array | undefined> {
    const { value } = await this.guard(this.#idleMs, () => reader.read(), false);
    return value;
  }

  end(): void {
    this.#outer?.removeEventListener("abort", this.#onOuter);
  }

  cancel(): void {
    this.end();
    this.#controller.abort();
  }

  #errorFrom(error: unknown, connecting: boolean): SyncError {
    if (this.#outer?.aborted === true) return new SyncError("aborted", "the operation was cancelled");
    // Bun has an idle limit of its own and ends with a TimeoutError.
    if (this.#late || (error instanceof Error && error.name === "TimeoutError")) {
      return new SyncError("provider_timeout", `the store did not answer in time; check ${this.words.check}`, {
        retryable: true,
      });
    }
    const code = systemCode(error);
    const details = code === undefined ? {} : { details: { system_code: code } };
    if (code !== undefined && CERTIFICATE_CODE.test(code)) {
      return new SyncError(
        "provider_config",
        `the TLS certificate of ${this.words.host} is not trusted; install its authority on this machine`,
        details,
      );
    }
    const what = connecting ? "the store could not be reached" : "the connection to the store broke while it answered";
    return new SyncError("provider_unreachable", `${what}; check ${this.words.check}`, {
      retryable: true,
      ...details,
    });
  }
}

const CERTIFICATE_CODE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ISSUER|HOSTNAME_MISMATCH|ALTNAME/;

/** ECONNRESET and its like; nothing of the error's message, which may hold an address with a query. */
function systemCode(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" && /^[A-Z][A-Z0-9_]{1,40}$/.test(code) ? code : undefined;
}
