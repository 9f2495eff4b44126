/** One member of a JSON document, for a table. */
export interface SchemaLine {
  /** `plan.uploads[].path` */
  readonly name: string;
  /** `text`, `whole number, 1 to 50`, `list of text, at most 256` */
  readonly type: string;
  readonly required: boolean;
  readonly description: string;
}

type Json = Readonly<Record<string, unknown>>;

const TYPES: Readonly<Record<string, string>> = {
  string: "text",
  integer: "whole number",
  number: "number",
  boolean: "true or false",
  null: "null",
};
const DEPTH_MAX = 3;

/** The members of an object schema, nested ones by their dotted names. */
export function schemaLines(schema: unknown, prefix = "", depth = 0): SchemaLine[] {
  if (!isJson(schema)) return [];
  const { properties } = schema;
  if (!isJson(properties)) return [];
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  return Object.entries(properties).flatMap(([key, value]) => {
    if (!isJson(value)) return [];
    const name = `${prefix}${key}`;
    const line = {
      name,
      type: typeOf(value),
      required: required.includes(key),
      description: textOf(value["description"]),
    };
    return depth >= DEPTH_MAX ? [line] : [line, ...nested(value, name, depth + 1)];
  });
}

function nested(schema: Json, name: string, depth: number): SchemaLine[] {
  if (schema["type"] === "array" && isJson(schema["items"])) return schemaLines(schema["items"], `${name}[].`, depth);
  const alternatives = Array.isArray(schema["anyOf"]) ? schema["anyOf"] : [schema];
  return alternatives.flatMap((each: unknown) => schemaLines(each, `${name}.`, depth));
}

function typeOf(schema: Json): string {
  if ("const" in schema) return JSON.stringify(schema["const"]);
  const alternatives = schema["anyOf"];
  if (Array.isArray(alternatives)) {
    return [...new Set(alternatives.map((each: unknown) => (isJson(each) ? typeOf(each) : "")))].join(" or ");
  }
  const type = schema["type"];
  const bounds = boundsOf(schema);
  if (type === "array") {
    const items = isJson(schema["items"]) ? typeOf(schema["items"]) : "anything";
    return `list of ${items === "object" ? "objects" : items}${bounds}`;
  }
  return typeof type === "string" ? (TYPES[type] ?? type) + bounds : "anything";
}

function boundsOf(schema: Json): string {
  const low = schema["minimum"] ?? schema["minLength"] ?? schema["minItems"];
  const high = schema["maximum"] ?? schema["maxLength"] ?? schema["maxItems"];
  if (high !== undefined) return `, ${low === undefined ? "at most" : `${textOf(low)} to`} ${textOf(high)}`;
  return low === undefined || low === 0 ? "" : `, at least ${textOf(low)}`;
}

function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
