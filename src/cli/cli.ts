import { CommanderError } from "commander";
import type { Platform, TerminationSignal } from "../platform/contract.ts";
import { CommandLine, EXIT } from "./command-line.ts";
import { createProgram, type Written } from "./program.ts";
import { reportError } from "./report-error.ts";

/**
 * Runs one command, e.g. `["plan", "--service", "s3"]`. Never throws: an error is told on stderr.
 * @returns the exit status: 0 ok, 1 failed, 2 usage, 3 partial, 130 and 143 after SIGINT and SIGTERM
 */
export async function runCli(argv: readonly string[], platform: Platform): Promise<number> {
  const stopping = new AbortController();
  let received: TerminationSignal | undefined;
  const stopListening = platform.onTermination((signal) => {
    received = signal;
    stopping.abort();
  });
  const cli = new CommandLine(platform, stopping.signal);
  const written: Written = { out: "", err: "" };
  try {
    await createProgram(cli, written).parseAsync(argv, { from: "user" });
    return cli.status;
  } catch (error) {
    await platform.terminal.write(written.out);
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    platform.terminal.writeError(written.err);
    return await reportError(cli, error, received);
  } finally {
    stopListening();
  }
}
