import { SyncError } from "../../core/errors.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import type { CommandLine } from "../command-line.ts";
import { decodeText } from "../passphrase.ts";
import { parseSecretJson } from "../vault/secret-input.ts";

const FILE_BYTES_MAX = 64 * 1024;

/** What Amazon's console and tools call the keys of the vault. */
const S3_NAMES: ReadonlyMap<string, string> = new Map([
  ["aws_access_key_id", "aws_access_key_id"],
  ["access key id", "aws_access_key_id"],
  ["aws_secret_access_key", "aws_secret_access_key"],
  ["secret access key", "aws_secret_access_key"],
  ["aws_session_token", "aws_session_token"],
]);

/** The text of `--credentials-file`; `-` is stdin. @throws SyncError `usage`, `bad_request`, `file_missing`, `file_unreadable` */
export async function readCredentials(cli: CommandLine, path: string): Promise<string> {
  const { terminal } = cli.platform;
  if (path === "-" && terminal.canAsk) {
    throw new SyncError("usage", "stdin is a terminal, which would show the secrets; give a file or pipe them in");
  }
  const bytes = await terminal.readAll(FILE_BYTES_MAX, path === "-" ? undefined : path);
  return decodeText(bytes, "the credentials").trim();
}

/**
 * S3 keys from what people have: a JSON object, the lines of an AWS credentials file or of an .env file, or the CSV that
 * Amazon's console gives out.
 * @throws SyncError `bad_request`; nothing of the text is repeated
 */
export function parseS3Credentials(text: string): JsonObject {
  const found = text.startsWith("{") ? fromJson(text) : isCsv(text) ? fromCsv(text) : fromLines(text);
  if (found["aws_access_key_id"] !== undefined && found["aws_secret_access_key"] !== undefined) return found;
  throw new SyncError(
    "bad_request",
    "the credentials hold no pair of aws_access_key_id and aws_secret_access_key; " +
      "a JSON object, NAME=VALUE lines and Amazon's CSV are understood",
  );
}

/** A service account's key as Google gives it out. @throws SyncError `bad_request` */
export function parseServiceAccount(text: string): JsonObject {
  const value = parseSecretJson(text, "the credentials file");
  if (isJsonObject(value) && typeof value["client_email"] === "string" && typeof value["private_key"] === "string")
    return value;
  throw new SyncError(
    "bad_request",
    "this is no key of a service account: the JSON that Google gives out holds client_email and private_key",
  );
}

/** S3 keys from the environment, for whoever asks for that. @throws SyncError `usage` */
export function s3CredentialsOfEnvironment({ platform }: CommandLine): JsonObject {
  const found: JsonObject = {};
  for (const name of new Set(S3_NAMES.values())) {
    const value = platform.env(name.toUpperCase());
    if (value !== undefined) found[name] = value;
  }
  if (found["aws_access_key_id"] !== undefined && found["aws_secret_access_key"] !== undefined) return found;
  throw new SyncError("usage", "--credentials-from-env needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to be set");
}

function fromJson(text: string): JsonObject {
  const value = parseSecretJson(text, "the credentials");
  return isJsonObject(value) ? named(Object.entries(value)) : {};
}

/** The first section counts where there are several. */
function fromLines(text: string): JsonObject {
  const [, first = text] = /^\s*\[[^\]]*\]([^[]*)/.exec(text) ?? [];
  const pairs = first.split(/\r?\n/).map((line): [string, unknown] => {
    const at = line.indexOf("=");
    const name = line.slice(0, at).replace(/^\s*export\s/, "");
    return [
      name,
      line
        .slice(at + 1)
        .trim()
        .replace(/^(["'])(.*)\1$/, "$2"),
    ];
  });
  return named(pairs);
}

/** A key itself may hold an equals sign; the CSV's first line holds none. */
function isCsv(text: string): boolean {
  return /^[^\n=]*access key id[^\n=]*\n/i.test(text);
}

function fromCsv(text: string): JsonObject {
  const [head = "", row = ""] = text.split(/\r?\n/);
  const values = row.split(",");
  return named(head.split(",").map((name, index) => [name, values[index]?.trim()]));
}

function named(pairs: readonly (readonly [string, unknown])[]): JsonObject {
  const found: JsonObject = {};
  for (const [given, value] of pairs) {
    const name = S3_NAMES.get(given.trim().toLowerCase());
    if (name !== undefined && typeof value === "string" && value !== "") found[name] = value;
  }
  return found;
}
