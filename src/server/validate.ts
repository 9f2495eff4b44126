import type { Static, TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { SyncError } from "../core/errors.ts";

/**
 * A checker for `schema`: what passes is typed by it. An error names the field and the rule, never the value.
 * @throws SyncError `schema` from the checker
 */
export function checker<Schema extends TSchema>(schema: Schema): (value: unknown) => Static<Schema> {
  // Compiled at the first use: a server that starts has nothing to check yet.
  let validator: ReturnType<typeof Compile<Schema>> | undefined;
  return (value) => {
    validator ??= Compile(schema);
    if (validator.Check(value)) return value;
    throw new SyncError("schema", describe(schema, validator.Errors(value)));
  };
}

interface Fault {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message: string;
}

/** Field names and the values that a field may have come from the schema: what the request made up is not repeated. */
function describe(schema: TSchema, faults: readonly Fault[]): string {
  const properties =
    "properties" in schema && typeof schema.properties === "object" ? { ...schema.properties } : ({} as const);
  const known: ReadonlyMap<string, unknown> = new Map(Object.entries(properties));
  if (faults.some((fault) => fault.keyword === "additionalProperties" && fault.instancePath === "")) {
    return `there is an unknown field; known are: ${[...known.keys()].join(", ")}`;
  }
  const fault = faults[0];
  const [, field, inside] = fault?.instancePath.split("/") ?? [];
  if (fault === undefined || field === undefined || field === "")
    return fault?.message ?? "the request does not fit its schema";
  if (!known.has(field)) return "a field does not fit its schema";
  if (inside !== undefined) return `a value in ${field} ${fault.message}`;
  const rule = known.get(field);
  if (fault.keyword === "pattern" && isTitled(rule)) return `${field} must be ${rule.title}`;
  const choices = choicesOf(rule);
  return choices.length === 0 ? `${field} ${fault.message}` : `${field} must be one of: ${choices.join(", ")}`;
}

/** A pattern says nothing to most people: its schema's title says what to give. */
function isTitled(rule: unknown): rule is { readonly title: string } {
  return typeof rule === "object" && rule !== null && "title" in rule && typeof rule.title === "string";
}

/** The values of a field that takes only certain ones. */
function choicesOf(rule: unknown): unknown[] {
  if (typeof rule !== "object" || rule === null) return [];
  if ("const" in rule) return [rule.const];
  return "anyOf" in rule && Array.isArray(rule.anyOf) ? rule.anyOf.flatMap(choicesOf) : [];
}
