import { Command } from "commander";
import type { CommandLine } from "../command-line.ts";
import { backupsCommand, restoreCommand } from "./backups.ts";
import { setCommand, unsetCommand } from "./change.ts";
import { initCommand } from "./init.ts";
import { rekeyCommand } from "./rekey.ts";
import { getCommand, showCommand } from "./show.ts";
import { exportCommand, importCommand } from "./transfer.ts";

const HELP = `
The passphrase comes from --passphrase-file, COMFYVN_SECRETS_KEY, or a prompt; a value to keep comes from stdin. Neither
is ever an argument, where every process of the machine could read it.`;

/** `vault …`: the encrypted file with the credentials of the destinations. */
export function vaultCommand(cli: CommandLine): Command {
  const group = new Command("vault")
    .description("keep the destinations' credentials, encrypted")
    .addHelpText("after", HELP);
  const makers = [
    initCommand,
    showCommand,
    getCommand,
    setCommand,
    unsetCommand,
    importCommand,
    exportCommand,
    rekeyCommand,
    backupsCommand,
    restoreCommand,
  ];
  for (const make of makers) group.addCommand(make(cli));
  return group;
}
