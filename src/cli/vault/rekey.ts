import { Command } from "commander";
import type { App } from "../../app.ts";
import { SyncError } from "../../core/errors.ts";
import type { CommandLine } from "../command-line.ts";
import { formatCount } from "../format.ts";
import { withHelp } from "../help.ts";
import { withJson, withPassphrase } from "../options.ts";
import { newPassphrase } from "../passphrase.ts";
import { withApp, type WorkspaceFlags } from "../workspace.ts";

interface RekeyFlags extends WorkspaceFlags {
  readonly newPassphraseFile?: string;
  readonly dropUnopenable?: boolean;
}

const HELP = `
Every kept backup is encrypted anew as well: afterwards the old passphrase opens
nothing in the file. A backup that opens under neither passphrase has to go for
that; it is only dropped with --drop-unopenable.`;

/** `vault rekey`: another passphrase. */
export function rekeyCommand(cli: CommandLine): Command {
  const command = withJson(
    withPassphrase(
      new Command("rekey")
        .description("change the vault's passphrase")
        .option(
          "--new-passphrase-file <file>",
          "file or pipe with the new passphrase (without it: COMFYVN_SECRETS_NEW_KEY, or a prompt)",
        )
        .option(
          "--drop-unopenable",
          "agree to lose the backups that open under neither passphrase, and unknown fields",
        ),
    ),
  );
  withHelp(command, {
    words: HELP,
    examples: [
      ["somebody left the team: another passphrase, typed unseen", "comfyvn-sync vault rekey"],
      ["in a script", "comfyvn-sync vault rekey --passphrase-file old.key \\\n--new-passphrase-file new.key"],
    ],
  });
  return cli.action(command, async (called) => {
    const flags = called.optsWithGlobals<RekeyFlags>();
    const { reencrypted, dropped, droppedFields } = await withApp(cli, flags, (app) => rekey(cli, app, flags));
    // In the names that the refusal has, and all other answers.
    if (flags.json === true) await cli.printJson({ reencrypted, dropped, dropped_fields: droppedFields });
    else await cli.print(`rekeyed; ${formatCount(reencrypted, "backup")} encrypted anew, ${dropped} dropped`);
  });
}

async function rekey(cli: CommandLine, app: App, flags: RekeyFlags) {
  const passphrase = await app.passphrase();
  // Proves it before a new one is asked for.
  await app.vault.unlock(passphrase);
  const next = await newPassphrase(cli, {
    file: flags.newPassphraseFile,
    fileFlag: "--new-passphrase-file",
    variable: "COMFYVN_SECRETS_NEW_KEY",
    of: "the vault from now on",
  });
  if (next === passphrase) throw new SyncError("usage", "the new passphrase is the old one; nothing was changed");
  const { dropped, droppedFields } = await app.vault.previewRekey(passphrase, next);
  if (dropped > 0 || droppedFields > 0) {
    const verb = flags.dropUnopenable === true ? "drops" : "would drop";
    cli.note(
      `this rekey ${verb} ${formatCount(dropped, "backup")} that neither passphrase opens` +
        ` and ${formatCount(droppedFields, "unknown field")} beside the vault's own`,
    );
  }
  return await app.vault.rekey(passphrase, next, { dropUnopenable: flags.dropUnopenable === true });
}
