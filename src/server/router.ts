import { Elysia } from "elysia";
import type { TObject, TSchema } from "typebox";
import type { Answered, Given, Operation } from "../api/operation.ts";
import { SyncError } from "../core/errors.ts";
import { isRoutePath } from "./route-path.ts";
import { readJsonBody } from "./security/json-body.ts";
import { SECURITY_HEADERS } from "./security/response-headers.ts";
import { checker } from "./validate.ts";

/** One request, checked. */
class Call<Query, Body> {
  readonly #stopping: AbortSignal;

  constructor(
    readonly request: Request,
    readonly query: Query,
    readonly body: Body,
    stopping: AbortSignal,
  ) {
    this.#stopping = stopping;
  }

  /** Fires when the client goes away or the server stops. */
  get signal(): AbortSignal {
    return AbortSignal.any([this.request.signal, this.#stopping]);
  }
}

export interface RouteOptions {
  /** Asked before anything of the request is looked at, e.g. the flags. */
  readonly gate?: () => Promise<void>;
  /** Wraps the work, e.g. to bound how much of it goes on at once. */
  readonly during?: <T>(work: () => Promise<T>) => Promise<T>;
}

/** The one way routes come into being: an operation of api/ and what carries it out. */
export class Router {
  readonly elysia;
  readonly #operations: Operation[] = [];
  readonly #stopping: AbortSignal;

  /**
   * @param stopping fires when the server stops
   * @param failed answers what a handler threw, and what nothing answers to
   */
  constructor(stopping: AbortSignal, failed: (thrown: unknown) => Response) {
    this.#stopping = stopping;
    this.elysia = new Elysia().onError(({ error, code, path }) =>
      failed(code === "NOT_FOUND" ? this.#unknown(path) : sourceOf(error)),
    );
  }

  /** What is offered, in the order of registration. */
  get operations(): readonly Operation[] {
    return this.#operations;
  }

  on<Query extends TObject | undefined, Body extends TObject | undefined, Answer extends TSchema | undefined>(
    operation: Operation<Query, Body, Answer>,
    handle: (call: Call<Given<Query>, Given<Body>>) => Answered<Answer> | Promise<Answered<Answer>>,
    options: RouteOptions = {},
  ): this {
    this.#operations.push(operation);
    const answer = this.#answering(operation, handle, options);
    this.elysia.route(operation.method, operation.path, ({ request }) => answer(request), { parse: "none" });
    return this;
  }

  #answering<Query extends TObject | undefined, Body extends TObject | undefined, Answer extends TSchema | undefined>(
    { query, body }: Operation<Query, Body, Answer>,
    handle: (call: Call<Given<Query>, Given<Body>>) => Answered<Answer> | Promise<Answered<Answer>>,
    { gate, during }: RouteOptions,
  ) {
    const stopping = this.#stopping;
    // With no schema Given is undefined; with one it is what the checker passes.
    const call = (request: Request, givenQuery?: unknown, givenBody?: unknown) =>
      new Call(request, givenQuery as Given<Query>, givenBody as Given<Body>, stopping);
    // Nothing to wait for: such answers are given in the turn in which the request arrives.
    if (query === undefined && body === undefined && gate === undefined && during === undefined) {
      return (request: Request) => {
        const answer = handle(call(request));
        return answer instanceof Promise ? answer.then(responseOf) : responseOf(answer);
      };
    }
    const checkQuery = query === undefined ? undefined : checker<TObject>(query);
    const checkBody = body === undefined ? undefined : checker<TObject>(body);
    return async (request: Request) => {
      await gate?.();
      const givenQuery = checkQuery?.(queryOf(request));
      const givenBody = checkBody?.(await readJsonBody(request));
      const work = async () => await handle(call(request, givenQuery, givenBody));
      return responseOf(during === undefined ? await work() : await during(work));
    };
  }

  /** Why nothing answered at `path`. */
  #unknown(path: string): SyncError {
    const here = this.#operations.filter((operation) => isRoutePath(operation.path, path));
    const takes = here.map(({ method }) => method);
    // Elysia answers HEAD wherever there is a GET.
    const allow = takes.flatMap((method) => (method === "GET" ? [method, "HEAD"] : [method]));
    if (allow.length === 0) {
      return new SyncError("not_found", "there is nothing at this address; GET /docs tells what there is");
    }
    return new SyncError("method_not_allowed", `this address takes ${takes.join(" and ")}`, { details: { allow } });
  }
}

/** Made once: a header costs as much as a small answer's body. */
const JSON_ANSWER = { headers: new Headers({ ...SECURITY_HEADERS, "content-type": "application/json" }) };

function responseOf(answer: unknown): Response {
  return answer instanceof Response ? answer : Response.json(answer, JSON_ANSWER);
}

/** Elysia wraps what a hook throws. */
function sourceOf(error: unknown): unknown {
  if (error instanceof SyncError) return error;
  if (error instanceof Error && error.cause instanceof SyncError) return error.cause;
  return error;
}

/** @throws SyncError `bad_request` for a parameter given twice: which one counts must not be a guess */
function queryOf(request: Request): Record<string, string> {
  const query = new Map<string, string>();
  for (const [name, value] of new URL(request.url).searchParams) {
    if (query.has(name)) throw new SyncError("bad_request", "a query parameter is given twice");
    query.set(name, value);
  }
  return Object.fromEntries(query);
}
