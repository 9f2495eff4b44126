import { SyncError } from "../../core/errors.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import type { CommandLine } from "../command-line.ts";
import { decodeText, withoutLineEnd } from "../passphrase.ts";

/** More than the vault itself may hold. */
const INPUT_BYTES_MAX = 1024 * 1024;

/**
 * A value for the vault from stdin, without one line end at its end; typed unseen where stdin is a terminal.
 * @throws SyncError `usage` when there is none, `bad_request` when it is not UTF-8
 */
export async function readValue(cli: CommandLine): Promise<string> {
  const { terminal } = cli.platform;
  const value = terminal.canAsk
    ? ((await terminal.askHidden("value: ", cli.signal)) ?? "")
    : withoutLineEnd(decodeText(await terminal.readAll(INPUT_BYTES_MAX), "stdin"));
  if (value !== "") return value;
  throw new SyncError(
    "usage",
    'stdin held no value; pipe it in, e.g. from a password manager (an empty text: --json-value and "")',
  );
}

/** The JSON object in `path`, or in stdin for `-`. @throws SyncError `usage`, `bad_request`, `file_missing`, `file_unreadable` */
export async function readPayload(cli: CommandLine, path: string): Promise<JsonObject> {
  const { terminal } = cli.platform;
  const fromStdin = path === "-";
  if (fromStdin && terminal.canAsk) {
    throw new SyncError("usage", "stdin is a terminal, which would show the secrets; give a file or pipe the JSON in");
  }
  const what = fromStdin ? "stdin" : "the file";
  const bytes = await terminal.readAll(INPUT_BYTES_MAX, fromStdin ? undefined : path);
  if (bytes.length === 0) throw new SyncError("usage", `${what} is empty; it must hold a JSON object`);
  const payload = parseSecretJson(decodeText(bytes, what), what);
  if (isJsonObject(payload)) return payload;
  throw new SyncError("bad_request", `${what} must hold a JSON object, {…}`);
}

/**
 * Parses JSON and quotes nothing of it in an error.
 * @throws SyncError `bad_request` for what is not JSON, and for a number that would not be kept as it is written
 */
export function parseSecretJson(text: string, what: string): unknown {
  let rounded = false;
  let value: unknown;
  try {
    value = JSON.parse(text, (_key: string, member: unknown, context?: { readonly source?: string }) => {
      if (typeof member === "number") rounded ||= isRounded(member, context?.source ?? String(member));
      return member;
    });
  } catch {
    // Without the cause: the engine's message quotes the text.
    throw new SyncError("bad_request", `${what} is not valid JSON; nothing was changed`);
  }
  if (!rounded) return value;
  throw new SyncError(
    "bad_request",
    `${what} holds a number that is too large to be kept exactly; write it as text, "…"`,
  );
}

/** An integer that JavaScript would turn into another one, or a number beyond all of its. */
function isRounded(value: number, source: string): boolean {
  if (!Number.isFinite(value)) return true;
  return /^-?\d+$/.test(source) && source !== String(value) && BigInt(source) !== BigInt(value);
}
