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
  /** What can go wrong beside what can with every request (COMMON_ERRORS, BODY_ERRORS). */
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
export const COMMON_ERRORS: readonly ErrorCode[] = [
  "bad_request",
  "unauthorized",
  "forbidden_host",
  "forbidden_origin",
  "too_many_attempts",
  "internal",
];

/** And so, when it has a body. */
export const BODY_ERRORS: readonly ErrorCode[] = [
  "request_timeout",
  "body_too_large",
  "unsupported_media_type",
  "schema",
];

/** An operation with the types of its schemas. */
export function operation<
  Query extends TObject | undefined = undefined,
  Body extends TObject | undefined = undefined,
  Answer extends TSchema | undefined = undefined,
>(described: Operation<Query, Body, Answer>): Operation<Query, Body, Answer> {
  return described;
}
