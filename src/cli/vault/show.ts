import { Command } from "commander";
import type { App } from "../../app.ts";
import { SyncError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import type { CommandLine } from "../command-line.ts";
import { withHelp } from "../help.ts";
import { formatNumber, formatTable, printable } from "../format.ts";
import { withJson, withPassphrase } from "../options.ts";
import { withApp, type WorkspaceFlags } from "../workspace.ts";

interface ShowFlags extends WorkspaceFlags {
  readonly reveal?: boolean;
}

/** `vault show`: the names of all values; the values themselves only with --reveal. */
export function showCommand(cli: CommandLine): Command {
  const command = withJson(
    withPassphrase(
      new Command("show")
        .description("list what the vault holds, values masked")
        .option("--reveal", "show the values too"),
    ),
  );
  withHelp(command, {
    words: `
Values are masked unless you ask. The passphrase is needed in any case.`,
    examples: [
      ["which values there are", "comfyvn-sync vault show"],
      ["everything in the clear, on your own screen", "comfyvn-sync vault show --reveal"],
    ],
  });
  return cli.action(command, async (called) => {
    const flags = called.optsWithGlobals<ShowFlags>();
    const shown = await withApp(cli, flags, async (app) => {
      const passphrase = await app.passphrase();
      // A description needs no passphrase, but without one it tells nothing of what is inside: unlock refuses that.
      const payload = await app.vault.unlock(passphrase);
      const { keys = [], ...rest } = await app.vault.describe(passphrase);
      return flags.reveal === true ? { ...rest, keys, payload } : { ...rest, keys };
    });
    await (flags.json === true ? cli.printJson(shown) : cli.print(showText(shown)));
  });
}

interface Shown extends Awaited<ReturnType<App["vault"]["describe"]>> {
  /** Everything in the clear. */
  readonly payload?: JsonObject;
}

function showText({ updated_at, iterations, backups, keys = [], payload }: Shown): string {
  const head = formatTable([
    ["updated", updated_at ?? "unknown"],
    ["key", `PBKDF2-HMAC-SHA256, ${formatNumber(iterations)} iterations`],
    ["backups", String(backups.length)],
    ["values", String(keys.length)],
  ]);
  if (payload !== undefined) return `${head}\n\n${JSON.stringify(payload, null, 2)}`;
  if (keys.length === 0) return head;
  return `${head}\n\n${formatTable(keys.map(({ path, type, masked }) => [printable(path), type, masked]))}`;
}

/** `vault get`: one value, text as it is and anything else as JSON. */
export function getCommand(cli: CommandLine): Command {
  const command = withJson(
    withPassphrase(
      new Command("get")
        .description("print one value, revealed")
        .argument("<path>", "its place, e.g. cloud_sync.s3.bucket; a backslash keeps a dot inside a name"),
    ),
  );
  withHelp(command, {
    examples: [
      ["the bucket, for a script", "comfyvn-sync vault get cloud_sync.s3.bucket"],
      ["everything about S3, as JSON", "comfyvn-sync vault get cloud_sync.s3"],
    ],
  });
  return cli.action(command, async (called) => {
    const flags = called.optsWithGlobals<WorkspaceFlags>();
    const [path = ""] = called.args;
    const value = await withApp(cli, flags, async (app) => await app.vault.get(path, await app.passphrase()));
    if (value === undefined) throw nothingThere();
    if (flags.json === true) await cli.printJson(value);
    else await cli.print(typeof value === "string" ? value : JSON.stringify(value, null, 2));
  });
}

export function nothingThere(): SyncError {
  return new SyncError("not_found", "the vault has nothing at this path; comfyvn-sync vault show lists what it has");
}
