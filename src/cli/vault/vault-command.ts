import { Command } from "commander";
import type { CommandLine } from "../command-line.ts";
import { withHelp } from "../help.ts";
import { backupsCommand, restoreCommand } from "./backups.ts";
import { setCommand, unsetCommand } from "./change.ts";
import { editCommand } from "./edit.ts";
import { initCommand } from "./init.ts";
import { rekeyCommand } from "./rekey.ts";
import { getCommand, showCommand } from "./show.ts";
import { exportCommand, importCommand } from "./transfer.ts";

const HELP = `
The passphrase comes from --passphrase-file, COMFYVN_SECRETS_KEY, or a prompt; a
value to keep comes from stdin or a prompt. Neither is ever an argument, where
every program on the machine could read it.`;

/** `vault …`: the encrypted file with the credentials of the destinations. */
export function vaultCommand(cli: CommandLine): Command {
  const group = new Command("vault").description("keep the destinations' credentials, encrypted");
  const makers = [
    initCommand,
    showCommand,
    getCommand,
    setCommand,
    unsetCommand,
    editCommand,
    importCommand,
    exportCommand,
    rekeyCommand,
    backupsCommand,
    restoreCommand,
  ];
  for (const make of makers) group.addCommand(make(cli));
  return withHelp(group, {
    words: HELP,
    examples: [
      ["an empty vault with a strong passphrase", "comfyvn-sync vault init --generate"],
      ["put one value in", "comfyvn-sync vault set cloud_sync.s3.bucket"],
      ["all of it at once, in your editor", "comfyvn-sync vault edit"],
    ],
  });
}
