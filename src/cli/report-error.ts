import { CommanderError } from "commander";
import { type ErrorCode, type SyncError, toSyncError } from "../core/errors.ts";
import type { TerminationSignal } from "../platform/contract.ts";
import { problemResponse } from "../server/problem.ts";
import { type CommandLine, EXIT } from "./command-line.ts";
import { printable } from "./format.ts";
import { ServerProblem } from "./remote/server-problem.ts";
import { usageError } from "./usage-error.ts";

/** What to do about an error, in the words of the command line. */
const HINTS: Readonly<Partial<Record<ErrorCode, string>>> = {
  delete_guard: "here: --confirm-deletes",
  vault_rekey_drops: "here: --drop-unopenable",
  vault_locked: "or give --passphrase-file, or run this in a terminal to be asked",
};

/**
 * Tells the user what ended the command: one line on stderr and, with --json, what the API would have answered.
 * @returns the exit status
 */
export async function reportError(
  cli: CommandLine,
  thrown: unknown,
  received: TerminationSignal | undefined,
): Promise<number> {
  const error = thrown instanceof CommanderError ? usageError(thrown) : toSyncError(thrown);
  cli.note(errorLine(cli, error));
  if (error.code === "usage") return EXIT.usage;
  const answer = error instanceof ServerProblem ? error.body : await problemResponse(error).text();
  // What cannot be written here has nobody to read it; the command has failed anyway.
  if (cli.json) await cli.print(answer).catch(() => undefined);
  if (error.code !== "aborted") return EXIT.failed;
  return stoppedStatus(received);
}

/** Exit status of a command that `signal` stopped; by default Ctrl-C in a question. */
export function stoppedStatus(signal: TerminationSignal | undefined): number {
  if (signal === "SIGHUP") return EXIT.sighup;
  return signal === "SIGTERM" ? EXIT.sigterm : EXIT.sigint;
}

function errorLine(cli: CommandLine, { message, code }: SyncError): string {
  const { whenStopped, noteStyle } = cli;
  if (code === "aborted" && whenStopped !== undefined)
    return `${noteStyle.warn("cancelled:")} ${whenStopped} [${code}]`;
  const hint = HINTS[code];
  return `${noteStyle.bad("error:")} ${printable(message)}${hint === undefined ? "" : ` (${hint})`} [${code}]`;
}
