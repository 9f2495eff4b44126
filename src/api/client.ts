import type { Static, TObject, TSchema } from "typebox";
import type { Immutable, Operation } from "./operation.ts";

export interface ApiClientOptions {
  /** `http://127.0.0.1:8001` */
  readonly baseUrl: string;
  /** COMFYVN_API_TOKEN of the server, where it has one. */
  readonly token?: string;
  /** Default the runtime's own. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

/** What a call sends: exactly what its operation takes. */
type Sent<Query, Body> = (Query extends TObject ? { readonly query?: Static<Query> } : unknown) &
  (Body extends TObject ? { readonly body: Static<Body> } : unknown) & { readonly signal?: AbortSignal };

/** A failure as the server told it. `code` is stable; `problem` is the whole document. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly problem: Readonly<Record<string, unknown>>,
  ) {
    super(message);
  }
}

/**
 * Calls a server's operations; requests and answers have the types of the schemas by which the server checks them. Only
 * operations that answer JSON; events are read with EventSource or WebSocket.
 */
export class ApiClient {
  readonly #options: ApiClientOptions;

  constructor(options: ApiClientOptions) {
    this.#options = options;
  }

  /** @throws ApiError for what the server refuses, and what fetch throws when there is none */
  async call<Query extends TObject | undefined, Body extends TObject | undefined, Answer extends TSchema>(
    operation: Operation<Query, Body, Answer>,
    sent: Sent<Query, Body>,
  ): Promise<Immutable<Static<Answer>>> {
    const { baseUrl, token, fetch: send = fetch } = this.#options;
    const { query, body, signal }: { query?: object; body?: object; signal?: AbortSignal } = sent;
    const search = query === undefined ? "" : `?${new URLSearchParams(Object.entries(query)).toString()}`;
    const response = await send(`${baseUrl.replace(/\/$/, "")}${operation.path}${search}`, {
      method: operation.method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
    const answer = (await response.json()) as Record<string, unknown>;
    if (!response.ok) throw apiError(response.status, answer);
    return answer as Immutable<Static<Answer>>;
  }
}

function apiError(status: number, problem: Readonly<Record<string, unknown>>): ApiError {
  const { code, detail } = problem;
  return new ApiError(status, String(code), typeof detail === "string" ? detail : `status ${status}`, problem);
}
