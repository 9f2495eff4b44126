import { CommanderError } from "commander";
import type { Platform, TerminationSignal } from "../platform/contract.ts";
import { CommandLine, EXIT } from "./command-line.ts";
import { createProgram, type Written } from "./program.ts";
import { reportError, stoppedStatus } from "./report-error.ts";

/**
 * Runs one command, e.g. `["plan", "--service", "s3"]`. Never throws: an error is told on stderr.
 * @returns the exit status: 0 ok, 1 failed, 2 usage, 3 partial, 129, 130 and 143 after SIGHUP, SIGINT and SIGTERM
 */
export async function runCli(argv: readonly string[], platform: Platform): Promise<number> {
  const stopping = new AbortController();
  let received: TerminationSignal | undefined;
  const cli = new CommandLine(platform, stopping.signal);
  const stopListening = platform.onTermination((signal) => {
    if (signal === "SIGINT" && cli.interruptIsForeign) return false;
    received = signal;
    stopping.abort();
    return true;
  });
  try {
    await runProgram(cli, argv);
    return cli.status === EXIT.sigint ? stoppedStatus(received) : cli.status;
  } catch (error) {
    return await reportError(cli, error, received);
  } finally {
    stopListening();
  }
}

/** Help and the version end the parser by an error too, which is none. */
async function runProgram(cli: CommandLine, argv: readonly string[]): Promise<void> {
  const written: Written = { out: "", err: "" };
  try {
    await createProgram(cli, written).parseAsync(argv, { from: "user" });
  } catch (error) {
    const { terminal } = cli.platform;
    if (written.out !== "") await terminal.write(written.out);
    terminal.writeError(written.err);
    if (!(error instanceof CommanderError) || error.exitCode !== 0) throw error;
  }
}
