import type { TObject } from "typebox";
import { errorsOf, type Operation } from "../../api/operation.ts";
import type { ErrorCode } from "../../core/errors.ts";
import { VERSION } from "../../core/version.ts";
import { PROBLEM_STATUS, PROBLEM_TITLES } from "../problem.ts";
import { ProblemSchema } from "./problem-schema.ts";

/** JSON of an OpenAPI 3.1 document, as far as this product writes it. */
export interface OpenApiDocument {
  readonly openapi: "3.1.0";
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, PathOperation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, unknown>>;
    readonly securitySchemes: Readonly<Record<string, unknown>>;
  };
}

export interface PathOperation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: true; readonly content: Content };
  readonly responses: Readonly<Record<string, Answer>>;
}

export interface Parameter {
  readonly name: string;
  readonly in: "query";
  readonly required: boolean;
  readonly description?: string;
  readonly schema: unknown;
  readonly example?: string;
}

export type Content = Readonly<
  Record<
    string,
    {
      readonly schema: unknown;
      readonly example?: unknown;
      readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
    }
  >
>;

export interface Answer {
  readonly description: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: Content;
}

const TAGS: Readonly<Record<string, string>> = {
  server: "The server itself",
  sync: "Mirroring to a destination, behind `features.enable_cloud_sync` and the provider's own flag",
  backup: "ZIP archives of the workspace, behind no flag",
  hooks: "What tools are told",
};

const DESCRIPTION = `Mirrors a workspace to S3, Google Drive or a folder, and backs it up.

Every failure is RFC 9457 problem+json: \`code\` is stable and says what happened, \`detail\` says what to do. Nothing of a
request's values is repeated in it. Requests must name the server's own address in Host, come from no web page of another
origin, carry bodies as exactly \`application/json\`, and the bearer token where the server has one.`;

/** The OpenAPI 3.1 document of `operations`: every route that is registered, and nothing else. */
export function openApiDocument(operations: readonly Operation[]): OpenApiDocument {
  const schemas: Record<string, unknown> = { Problem: ProblemSchema };
  const paths: Record<string, Record<string, PathOperation>> = {};
  for (const operation of operations) {
    const path = (paths[operation.path] ??= {});
    path[operation.method.toLowerCase()] = pathOperation(operation, schemas);
  }
  const used = new Set(operations.map(({ tag }) => tag));
  return {
    openapi: "3.1.0",
    info: { title: "comfyvn-cloud-sync", version: VERSION, description: DESCRIPTION },
    servers: [{ url: "/" }],
    tags: [...used].map((name) => ({ name, description: TAGS[name] ?? name })),
    // The token where the server has one, nothing on loopback.
    security: [{}, { token: [] }],
    paths,
    components: {
      schemas,
      securitySchemes: { token: { type: "http", scheme: "bearer", description: "COMFYVN_API_TOKEN of the server" } },
    },
  };
}

function pathOperation(operation: Operation, schemas: Record<string, unknown>): PathOperation {
  const { id, tag, summary, description, query, body, examples } = operation;
  if (body !== undefined) schemas[`${capitalised(id)}Request`] = body;
  if (operation.answer !== undefined) schemas[`${capitalised(id)}Answer`] = operation.answer;
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(query === undefined ? {} : { parameters: parameters(query, examples.query ?? {}) }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: json(`${capitalised(id)}Request`, examples.body) } }),
    responses: { ...success(operation), ...problems(operation) },
  };
}

function parameters(query: TObject, examples: Readonly<Record<string, string>>): Parameter[] {
  const required = new Set<string>(query.required ?? []);
  return Object.entries(query.properties).map(([name, schema]) => {
    const description: unknown = Reflect.get(schema, "description");
    const example = examples[name];
    return {
      name,
      in: "query" as const,
      required: required.has(name),
      ...(typeof description === "string" ? { description } : {}),
      schema,
      ...(example === undefined ? {} : { example }),
    };
  });
}

function success({ id, answer, other, examples }: Operation): Record<string, Answer> {
  if (answer !== undefined) {
    return { 200: { description: "Done", content: json(`${capitalised(id)}Answer`, examples.answer) } };
  }
  if (other === undefined) throw new Error(`operation ${id} does not say what it answers`);
  const { status, mediaType, description } = other;
  return {
    [status]: { description, ...(mediaType === undefined ? {} : { content: { [mediaType]: { schema: {} } } }) },
  };
}

/** The codes of every failure that `operation` can answer, by status. */
function problems(operation: Operation): Record<string, Answer> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of errorsOf(operation)) {
    const status = PROBLEM_STATUS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries([...byStatus].map(([status, codes]) => [status, problem(status, codes)]));
}

function problem(status: number, codes: readonly ErrorCode[]): Answer {
  const title = PROBLEM_TITLES[status] ?? "Error";
  const example = (code: ErrorCode) => ({
    value: { type: `urn:comfyvn:problem:${code}`, title, status, detail: "What happened, and what to do", code },
  });
  return {
    description: `${title}: ${codes.map((code) => `\`${code}\``).join(", ")}`,
    ...(status === 429 || status === 503
      ? { headers: { "Retry-After": { description: "Seconds, where a wait helps", schema: { type: "integer" } } } }
      : {}),
    content: {
      "application/problem+json": {
        schema: {
          allOf: [
            { $ref: "#/components/schemas/Problem" },
            { type: "object", properties: { code: { enum: codes }, status: { const: status } } },
          ],
        },
        examples: Object.fromEntries(codes.map((code) => [code, example(code)])),
      },
    },
  };
}

function json(name: string, example: unknown): Content {
  return {
    "application/json": {
      schema: { $ref: `#/components/schemas/${name}` },
      ...(example === undefined ? {} : { example }),
    },
  };
}

function capitalised(id: string): string {
  return id.charAt(0).toUpperCase() + id.slice(1);
}
