import type { Static, TObject, TSchema } from "typebox";
import type { ErrorCode } from "../core/errors.ts";

export type Method = "GET" | "POST" | "DELETE";

/** What an operation answers with when it is no JSON document. */
export interface OtherAnswer {
  readonly status: 101 | 200;
  /** Media type; undefined for a connection that becomes something else. */
  readonly mediaType?: string;
  readonly description: string;
}

/**
 * One address and method of the API. The server validates by it, /openapi.json and /docs show it, and a handler that
 * answers anything else does not compile: a route cannot exist without its description.
 */
export interface Operation<
  Query extends TObject | undefined = TObject | undefined,
  Body extends TObject | undefined = TObject | undefined,
  Answer extends TSchema | undefined = TSchema | undefined,
> {
  /** Stable, for clients that are generated. */
  readonly id: string;
  readonly method: Method;
  readonly path: string;
  readonly tag: string;
  /** One line. */
  readonly summary: string;
  /** The rest, in Markdown. */
  readonly description?: string;
  /** Without it no query parameter is taken. */
  readonly query?: Query;
  /** JSON. */
  readonly body?: Body;
  /** JSON of status 200. Either this or `other`. */
  readonly answer?: Answer;
  readonly other?: OtherAnswer;
  /** Pages of other origins may ask for it: they cannot read it, and it costs next to nothing. */
  readonly open?: true;
  /** What can go wrong beside what `errorsOf` adds. */
  readonly errors: readonly ErrorCode[];
  /** Ready to send, and what comes back. */
  readonly examples: {
    readonly query?: Readonly<Record<string, string>>;
    readonly body?: unknown;
    readonly answer?: unknown;
  };
}

/** Types of handlers: what `Schema` describes, which nobody may change. */
export type Immutable<T> = T extends readonly (infer Item)[]
  ? readonly Immutable<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Immutable<T[Key]> }
    : T;

/** What a checked query or body is; nothing where the operation takes none. */
export type Given<Schema extends TSchema | undefined> = Schema extends TSchema ? Static<Schema> : undefined;

/** What a handler answers: JSON by the operation's schema, or a response of its own. */
export type Answered<Schema extends TSchema | undefined> = Schema extends TSchema
  ? Immutable<Static<Schema>>
  : Response;

/** Every request can be refused so, whatever it asks for. */
const COMMON_ERRORS: readonly ErrorCode[] = ["unauthorized", "forbidden_host", "too_many_attempts", "internal"];
/** And so, when it has a body. */
const BODY_ERRORS: readonly ErrorCode[] = [
  "bad_request",
  "request_timeout",
  "body_too_large",
  "unsupported_media_type",
  "schema",
];
const QUERY_ERRORS: readonly ErrorCode[] = ["bad_request", "schema"];

/** Every code that `operation` can answer with, each once. */
export function errorsOf({ open, query, body, errors }: Operation): readonly ErrorCode[] {
  return [
    ...new Set([
      ...COMMON_ERRORS,
      ...(open === true ? [] : (["forbidden_origin"] as const)),
      ...(query === undefined ? [] : QUERY_ERRORS),
      ...(body === undefined ? [] : BODY_ERRORS),
      ...errors,
    ]),
  ];
}

/** An operation with the types of its schemas. */
export function operation<
  Query extends TObject | undefined = undefined,
  Body extends TObject | undefined = undefined,
  Answer extends TSchema | undefined = undefined,
>(described: Operation<Query, Body, Answer>): Operation<Query, Body, Answer> {
  return described;
}
