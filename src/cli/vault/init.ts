import { Command } from "commander";
import type { App } from "../../app.ts";
import { SyncError } from "../../core/errors.ts";
import type { CommandLine } from "../command-line.ts";
import { withHelp } from "../help.ts";
import { withJson } from "../options.ts";
import { newPassphrase } from "../passphrase.ts";
import { withApp, type WorkspaceFlags } from "../workspace.ts";
import { generatePassphrase } from "./generate-passphrase.ts";
import { warnIfMirrored } from "./warn-if-mirrored.ts";
import { savedJson } from "./saved-text.ts";

interface InitFlags extends WorkspaceFlags {
  readonly generate?: boolean;
}

const HELP = `
With --generate and --passphrase-file the new passphrase is written into that file,
which must not be there yet (mode 0600), and shown nowhere. With --generate alone
it is shown once, on stderr: keep it, nobody can recover it.`;

/** `vault init`: an empty vault. */
export function initCommand(cli: CommandLine): Command {
  const command = withJson(
    new Command("init")
      .description("create an empty vault; an existing one is left alone")
      .option(
        "--passphrase-file <file>",
        "file or pipe with the passphrase (without it: COMFYVN_SECRETS_KEY, or a prompt)",
      )
      .option("--generate", "make a strong passphrase"),
  );
  withHelp(command, {
    words: HELP,
    examples: [
      ["with a passphrase of your own, typed unseen", "comfyvn-sync vault init"],
      ["with a strong one, shown once", "comfyvn-sync vault init --generate"],
      [
        "for a server: the passphrase goes into a file",
        "comfyvn-sync vault init --generate --passphrase-file ~/studio.key",
      ],
    ],
  });
  return cli.action(command, async (called) => {
    const { passphraseFile, ...flags } = called.optsWithGlobals<InitFlags>();
    const result = await withApp(cli, flags, async (app) => {
      if (await app.hasVault()) throw new SyncError("vault_exists", "there is a vault already; nothing was changed");
      if (flags.generate !== true) return await app.vault.create({}, await vaultPassphrase(cli, passphraseFile));
      return (await generateVault(cli, app, passphraseFile)).result;
    });
    await (flags.json === true
      ? cli.printJson(savedJson(result))
      : cli.print("created an empty vault: config/comfyvn.secrets.json"));
  });
}

/** The passphrase of a vault that is about to be made. */
export function vaultPassphrase(cli: CommandLine, file: string | undefined): Promise<string> {
  return newPassphrase(cli, {
    file,
    fileFlag: "--passphrase-file",
    variable: "COMFYVN_SECRETS_KEY",
    of: "the new vault",
  });
}

/** An empty vault with a passphrase that is made here and shown, or written into the new file `path`. */
export async function generateVault(cli: CommandLine, app: App, path: string | undefined) {
  const passphrase = generatePassphrase();
  if (path === undefined) {
    const result = await app.vault.create({}, passphrase);
    cli.note(`passphrase, shown this once: ${passphrase}`);
    return { result, passphrase };
  }
  const { files } = cli.platform;
  const file = files.resolve(path);
  if ((await files.lstat(file)) !== undefined) {
    throw new SyncError("usage", "the file for the generated passphrase is there already; name another");
  }
  // First the passphrase, then the vault: one that nobody can open is never left behind.
  await files.writeAtomic(file, new TextEncoder().encode(`${passphrase}\n`), { mode: 0o600 });
  try {
    const result = await app.vault.create({}, passphrase);
    await warnIfMirrored(cli, app.root, file);
    return { result, passphrase };
  } catch (error) {
    await files.remove(file);
    throw error;
  }
}
