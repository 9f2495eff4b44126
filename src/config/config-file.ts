import { type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import { Compile } from "typebox/compile";
import { SyncError } from "../core/errors.ts";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import { type ConfigFile, ConfigFileSchema } from "./schema.ts";

const validator = Compile(ConfigFileSchema);

/**
 * The text of a config file as checked settings. `name` is how the user knows the file, e.g. `config/comfyvn.json`.
 * @throws SyncError `config_malformed` with line and column when it is not a JSON object; `config_invalid` naming the
 * setting whose type is wrong. Never falls back to a default for something that is there.
 */
export function parseConfigFile(text: string, name: string): ConfigFile {
  const value = parseStrictJson(text, name);
  if (validator.Check(value)) return value;
  const fault = validator.Errors(value)[0];
  const setting = (fault?.instancePath ?? "").replace(/^\//, "").replaceAll("/", ".") || "the file";
  throw new SyncError("config_invalid", `${name}: ${setting} ${fault?.message ?? "is not valid"}`);
}

/** A BOM is accepted, as editors on Windows write one; comments are not, as the Python studio cannot read them. */
function parseStrictJson(text: string, name: string): JsonObject {
  const body = text.startsWith("\uFEFF") ? text.slice(1) : text;
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    throw new SyncError("config_malformed", `${name} is not valid JSON: ${describeFault(body)}`, { cause: error });
  }
  if (!isJsonObject(value)) throw new SyncError("config_malformed", `${name} must hold a JSON object, {…}`);
  return value;
}

/**
 * Where and how `text` is not JSON, e.g. `line 3, column 14: CommaExpected`, without a word of it. Runtimes word
 * JSON.parse's error differently and often without a position.
 */
export function describeFault(text: string): string {
  const errors: ParseError[] = [];
  parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
  const first = errors[0];
  if (first === undefined) return "it cannot be read";
  const before = text.slice(0, first.offset).split("\n");
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}: ${printParseErrorCode(first.error)}`;
}
