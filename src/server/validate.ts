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

/** Field names come from the schema: one that the request made up is not repeated. */
function describe(schema: TSchema, faults: readonly Fault[]): string {
  const known =
    "properties" in schema && typeof schema.properties === "object" ? Object.keys(schema.properties ?? {}) : [];
  if (faults.some((fault) => fault.keyword === "additionalProperties" && fault.instancePath === "")) {
    return `there is an unknown field; known are: ${known.join(", ")}`;
  }
  const fault = faults[0];
  const field = fault?.instancePath.split("/")[1];
  if (fault === undefined || field === undefined || field === "")
    return fault?.message ?? "the request does not fit its schema";
  return known.includes(field) ? `${field} ${fault.message}` : "a field does not fit its schema";
}
