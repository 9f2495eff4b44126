import { Elysia } from "elysia";
import type { TObject, TSchema } from "typebox";
import type { Answered, Given, Operation } from "../api/operation.ts";
import { SyncError } from "../core/errors.ts";
import { readJsonBody } from "./security/json-body.ts";
import { SECURITY_HEADERS } from "./security/response-headers.ts";
import { checker } from "./validate.ts";

/** One request, checked. */
export interface Call<Query, Body> {
  readonly query: Query;
  readonly body: Body;
  readonly request: Request;
  /** Fires when the client goes away or the server stops. */
  readonly signal: AbortSignal;
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
    this.elysia = new Elysia()
      .headers({ ...SECURITY_HEADERS })
      .onError(({ error, code, path }) => failed(code === "NOT_FOUND" ? this.#unknown(path) : sourceOf(error)));
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
    const readQuery = checkerOf(operation.query, queryOf);
    const readBody = checkerOf(operation.body, readJsonBody);
    const stopping = this.#stopping;
    const { gate, during } = options;
    const answer = async (request: Request) => {
      await gate?.();
      const call: { [Key in keyof Call<unknown, unknown>]: unknown } = {
        query: await readQuery(request),
        body: await readBody(request),
        request,
        signal: AbortSignal.any([request.signal, stopping]),
      };
      const work = async () => await handle(call as Call<Given<Query>, Given<Body>>);
      return during === undefined ? await work() : await during(work);
    };
    this.elysia.route(operation.method, operation.path, ({ request }) => answer(request), { parse: "none" });
    return this;
  }

  /** Why nothing answered at `path`. */
  #unknown(path: string): SyncError {
    const allow = this.#operations.filter((operation) => operation.path === path).map(({ method }) => method);
    if (allow.length === 0) {
      return new SyncError("not_found", "there is nothing at this address; GET /docs tells what there is");
    }
    return new SyncError("method_not_allowed", `this address takes ${allow.join(" and ")}`, { details: { allow } });
  }
}

/** Elysia wraps what a hook throws. */
function sourceOf(error: unknown): unknown {
  if (error instanceof SyncError) return error;
  if (error instanceof Error && error.cause instanceof SyncError) return error.cause;
  return error;
}

/** What `read` gives of a request, checked by `schema`; undefined without one, and then nothing is read. */
function checkerOf<Schema extends TObject | undefined>(
  schema: Schema,
  read: (request: Request) => unknown,
): (request: Request) => Promise<Given<Schema>> {
  const check = schema === undefined ? undefined : checker<TObject>(schema);
  // With no schema Given is undefined; with one it is what the checker passes.
  return async (request) => {
    const given: unknown = check === undefined ? undefined : check(await read(request));
    return given as Given<Schema>;
  };
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
