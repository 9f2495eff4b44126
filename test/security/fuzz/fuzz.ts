import fc from "fast-check";
import type { Operation } from "../../../src/api/operation.ts";
import type { OpenApiDocument, PathOperation } from "../../../src/server/openapi/document.ts";
import { checker } from "../../../src/server/validate.ts";
import { arbitraryOf, CANARY } from "./schema-arbitrary.ts";
import type { FuzzedServer } from "./fuzzed-server.ts";

/** A stream does not end by itself. */
const ENDLESS = new Set(["text/event-stream"]);

export interface FuzzedRequest {
  readonly operation: Operation;
  readonly query: Readonly<Record<string, string>>;
  /** Text or bytes as they are sent; undefined without a body. */
  readonly body: string | Uint8Array<ArrayBuffer> | undefined;
}

/** Requests of every operation, made from the schemas that its description has. */
export function requestArbitrary(operations: readonly Operation[]): fc.Arbitrary<FuzzedRequest> {
  const each = operations.map((operation) =>
    fc.record({
      operation: fc.constant(operation),
      query: queryArbitrary(operation),
      body: operation.body === undefined ? fc.constant(undefined) : arbitraryOf(operation.body).map(textOf),
    }),
  );
  return fc.oneof(...each);
}

function queryArbitrary({ query }: Operation): fc.Arbitrary<Readonly<Record<string, string>>> {
  if (query === undefined) return fc.constant({});
  const known = arbitraryOf(query);
  return known.map((value) =>
    typeof value === "object" && value !== null
      ? Object.fromEntries(
          Object.entries(value).map(([key, each]) => [key.toWellFormed(), textOf(each).toWellFormed()]),
        )
      : {},
  );
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/**
 * Sends one request and holds the answer to the description: 200 by its schema, or a problem whose status and code
 * the operation documents and that repeats nothing of the request.
 * @throws Error that tells what is not so
 */
export async function checkRequest(
  server: FuzzedServer,
  document: OpenApiDocument,
  request: FuzzedRequest,
): Promise<number> {
  const { operation, query, body } = request;
  const search = new URLSearchParams(query).toString();
  const leave = new AbortController();
  const response = await fetch(`${server.base}${operation.path}${search === "" ? "" : `?${search}`}`, {
    method: operation.method,
    headers: body === undefined ? {} : { "content-type": "application/json" },
    ...(body === undefined ? {} : { body }),
    signal: leave.signal,
  });
  const type = response.headers.get("content-type") ?? "";
  if (ENDLESS.has(type.split(";")[0] ?? "")) {
    leave.abort();
    return response.status;
  }
  const text = await response.text();
  if (response.ok) {
    if (operation.answer !== undefined) checker(operation.answer)(JSON.parse(text));
    return response.status;
  }
  const documented = document.paths[operation.path]?.[operation.method.toLowerCase()];
  checkProblem(response.status, type, text, documented);
  return response.status;
}

function checkProblem(status: number, type: string, text: string, documented: PathOperation | undefined): void {
  if (text.includes(CANARY)) throw new Error(`a problem repeats the request: ${text}`);
  if (type !== "application/problem+json") {
    // The runtime's own refusals of what is no request of ours have no body.
    if (text === "" && (status === 413 || status === 431 || status === 400)) return;
    throw new Error(`status ${status} as ${type}: ${text.slice(0, 200)}`);
  }
  if (status >= 500 && status !== 502 && status !== 503) throw new Error(`status ${status}: ${text}`);
  const { code } = JSON.parse(text) as { code: string };
  const examples = documented?.responses[String(status)]?.content?.["application/problem+json"]?.examples ?? {};
  if (!(code in examples)) throw new Error(`status ${status} with ${code} is not documented: ${text}`);
}
