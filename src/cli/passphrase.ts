import { SyncError } from "../core/errors.ts";
import type { CommandLine } from "./command-line.ts";

const PASSPHRASE_FILE_BYTES_MAX = 64 * 1024;

/**
 * The passphrase in a file or pipe, without one line end at its end.
 * @throws SyncError `usage` for no name, `file_missing`, `file_unreadable`, `bad_request` when it holds none
 */
export async function readPassphraseFile(cli: CommandLine, path: string): Promise<string> {
  // What an unset variable of a script leaves.
  if (path === "") throw new SyncError("usage", "the name of the passphrase file is empty; name the file");
  const bytes = await cli.platform.terminal.readAll(PASSPHRASE_FILE_BYTES_MAX, path);
  const passphrase = withoutLineEnd(decodeText(bytes, "the passphrase file"));
  if (passphrase === "") throw new SyncError("bad_request", "the passphrase file holds no passphrase");
  return passphrase;
}

/** Where a passphrase may come from, in this order; the last way is to ask. */
export interface NewPassphraseSources {
  readonly file: string | undefined;
  readonly fileFlag: string;
  readonly variable: string;
  /** What the passphrase is of, e.g. `the new vault`. */
  readonly of: string;
}

/**
 * A passphrase that nothing can prove yet: one that is typed is asked for twice.
 * @throws SyncError `bad_request` when there is none, `usage` when the two differ
 */
export async function newPassphrase(cli: CommandLine, sources: NewPassphraseSources): Promise<string> {
  if (sources.file !== undefined) return await readPassphraseFile(cli, sources.file);
  const given = cli.platform.env(sources.variable);
  if (given !== undefined) return given;
  const { terminal } = cli.platform;
  const none = new SyncError(
    "bad_request",
    `there is no passphrase for ${sources.of}: set ${sources.variable}, or give ${sources.fileFlag}`,
  );
  if (!terminal.canAsk) throw none;
  const first = await terminal.askHidden(`passphrase for ${sources.of}: `, cli.signal);
  if (first === undefined || first === "") throw none;
  const second = await terminal.askHidden("the same again: ", cli.signal);
  if (first !== second) throw new SyncError("usage", "the two passphrases differ; nothing was changed");
  return first;
}

/** @throws SyncError `bad_request` when `bytes` are not UTF-8; a BOM is dropped */
export function decodeText(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    // Without the cause: nothing of a secret's bytes goes on.
    throw new SyncError("bad_request", `${what} is not UTF-8 text`);
  }
}

/** Without one line end, which `echo` and editors put at the end of what they write. */
export function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, "");
}
