import { Command } from "commander";
import { SyncError } from "../../core/errors.ts";
import type { CommandLine } from "../command-line.ts";
import { withHelp } from "../help.ts";
import { formatTable } from "../format.ts";
import { withJson, withPassphrase } from "../options.ts";
import { withApp, type WorkspaceFlags } from "../workspace.ts";
import { savedJson } from "./saved-text.ts";

/** `vault backups`: their dates, which need no passphrase. */
export function backupsCommand(cli: CommandLine): Command {
  const command = withJson(
    new Command("backups").description("list the backups inside the vault; needs no passphrase"),
  );
  withHelp(command, {
    words: `
Each change keeps what it replaces, encrypted, in the vault itself: at most five.`,
    examples: [["what can be taken back", "comfyvn-sync vault backups"]],
  });
  return cli.action(command, async (called) => {
    const flags = called.optsWithGlobals<WorkspaceFlags>();
    const backups = await withApp(cli, flags, (app) => app.vault.backups());
    if (flags.json === true) return await cli.printJson({ backups });
    if (backups.length === 0) return await cli.print("the vault has no backups");
    const rows = backups.map(({ index, updated_at, archived_at }) => [
      String(index),
      `written ${updated_at ?? "at an unknown time"}`,
      `replaced ${archived_at ?? "at an unknown time"}`,
    ]);
    await cli.print(formatTable(rows));
  });
}

/** `vault restore`: a backup becomes the content again. */
export function restoreCommand(cli: CommandLine): Command {
  const command = withJson(
    withPassphrase(
      new Command("restore")
        .description("make a backup what the vault holds again; what it replaces becomes backup 0")
        .argument("<index>", "number of the backup, 0 is the newest; vault backups lists them"),
    ),
  );
  withHelp(command, {
    examples: [["undo the last change", "comfyvn-sync vault restore 0"]],
  });
  return cli.action(command, async (called) => {
    const flags = called.optsWithGlobals<WorkspaceFlags>();
    const [text = ""] = called.args;
    if (!/^\d{1,3}$/.test(text)) throw new SyncError("usage", "the index of a backup is a number; 0 is the newest");
    const index = Number(text);
    const result = await withApp(
      cli,
      flags,
      async (app) => await app.vault.restoreBackup(index, await app.passphrase()),
    );
    if (flags.json === true) await cli.printJson(savedJson(result));
    else await cli.print(`restored backup ${index}; what it replaced is backup 0 of ${result.backups}`);
  });
}
