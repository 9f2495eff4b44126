import { App } from "../app.ts";
import { SyncError, toSyncError } from "../core/errors.ts";
import { type EventSink, noEvents } from "../core/events.ts";
import { workspaceFolder } from "../core/workspace-folder.ts";
import type { CommandLine, CommonFlags } from "./command-line.ts";
import { readPassphraseFile } from "./passphrase.ts";
import { ProgressLine } from "./progress/progress-line.ts";

/** With no server running, events of a command go out before it ends; what a slow receiver does not take in this time stays queued. */
const WEBHOOK_DRAIN_MS_MAX = 5_000;

export interface WorkspaceFlags extends CommonFlags {
  readonly passphraseFile?: string;
}

/** Native path of the workspace: the flag, COMFYVN_ROOT, the current folder. @throws SyncError `usage`, `root_missing` */
export async function workspaceRoot({ platform }: CommandLine, flags: CommonFlags): Promise<string> {
  const root = flags.root ?? platform.env("COMFYVN_ROOT") ?? ".";
  // What an unset variable of a script leaves: the current folder would be the wrong guess.
  if (root === "") throw new SyncError("usage", "--root is empty; name the folder of the workspace");
  return await workspaceFolder(platform.files, root);
}

export interface OpenAppOptions {
  /** Hears every event beside the log. */
  readonly listener?: EventSink;
  /** Whether a person at the terminal may be asked for the passphrase, when a vault has to be opened. */
  readonly asks: boolean;
  /** A passphrase that the command has from elsewhere; it wins. */
  readonly passphrase?: () => string | undefined;
}

/**
 * The workspace's App, with the passphrase of the file, the environment or the person at the terminal.
 * @throws SyncError `usage`, `root_missing`, as readPassphraseFile
 */
export async function openApp(cli: CommandLine, flags: WorkspaceFlags, options: OpenAppOptions): Promise<App> {
  const { platform, signal } = cli;
  const { terminal } = platform;
  const root = await workspaceRoot(cli, flags);
  const filed = flags.passphraseFile === undefined ? undefined : await readPassphraseFile(cli, flags.passphraseFile);
  const asks = options.asks && terminal.canAsk;
  return await App.open({
    platform,
    root,
    passphrase: () => options.passphrase?.() ?? filed ?? platform.env("COMFYVN_SECRETS_KEY"),
    ...(asks ? { askPassphrase: () => terminal.askHidden("passphrase of the vault: ", signal) } : {}),
    complain: (line) => cli.note(line),
    listener: options.listener ?? noEvents,
  });
}

/** Runs `use` with the workspace's App and closes it. An unexpected error goes to the log, as its message says. */
export async function withApp<T>(
  cli: CommandLine,
  flags: WorkspaceFlags,
  use: (app: App, progress: ProgressLine) => Promise<T>,
  passphrase: () => string | undefined = () => undefined,
): Promise<T> {
  const progress = new ProgressLine(cli.platform);
  const app = await openApp(cli, flags, { listener: progress, asks: true, passphrase });
  try {
    return await use(app, progress);
  } catch (thrown) {
    const error = toSyncError(thrown);
    if (error.code === "internal") app.log.write("error", "cli.error", { error: rootMessage(error) });
    throw error;
  } finally {
    progress.clear();
    await app.webhooks.drain(WEBHOOK_DRAIN_MS_MAX);
    app.close();
  }
}

function rootMessage(error: Error): string {
  let root = error;
  while (root.cause instanceof Error) root = root.cause;
  return root.stack ?? root.message;
}
