import { Command } from "commander";
import { SyncError } from "../../core/errors.ts";
import type { CommandLine } from "../command-line.ts";
import { withHelp } from "../help.ts";
import { withJson, withPassphrase } from "../options.ts";
import { withApp, type WorkspaceFlags } from "../workspace.ts";
import { vaultPassphrase } from "./init.ts";
import { savedJson, savedText } from "./saved-text.ts";
import { readPayload } from "./secret-input.ts";
import { warnIfMirrored } from "./warn-if-mirrored.ts";

/** `vault import`: replaces the payload. */
export function importCommand(cli: CommandLine): Command {
  const command = withJson(
    withPassphrase(
      new Command("import")
        .description("replace all that the vault holds by a JSON object; makes the vault when there is none")
        .argument("<file>", "file with the JSON; - is stdin"),
    ),
  );
  withHelp(command, {
    words: `
What was there before stays in the vault as a backup (vault backups).`,
    examples: [
      ["from a file, which you then delete", "comfyvn-sync vault import secrets.json"],
      ["from another program", "pass show studio/vault | comfyvn-sync vault import -"],
    ],
  });
  return cli.action(command, async (called) => {
    const flags = called.optsWithGlobals<WorkspaceFlags>();
    const [path = ""] = called.args;
    const payload = await readPayload(cli, path);
    const result = await withApp(cli, flags, async (app) => {
      const passphrase = (await app.hasVault())
        ? await app.passphrase()
        : await vaultPassphrase(cli, flags.passphraseFile);
      return await app.vault.store(payload, passphrase);
    });
    await (flags.json === true ? cli.printJson(savedJson(result)) : cli.print(savedText(result)));
  });
}

interface ExportFlags extends WorkspaceFlags {
  readonly reveal?: boolean;
  readonly output?: string;
}

/** `vault export`: the payload, in the clear. */
export function exportCommand(cli: CommandLine): Command {
  const command = withPassphrase(
    new Command("export")
      .description("give out all that the vault holds as JSON, in the clear")
      .argument("[file]", "a new file that only you can read (mode 0600); - is stdout")
      .option("--reveal", "print it on stdout; the same as -")
      .option("--output <file>", "the same as naming the file"),
  );
  withHelp(command, {
    words: `
Every secret in the clear: mind where it goes, and remove the file soon.`,
    examples: [
      ["into a file for you alone", "comfyvn-sync vault export secrets.json"],
      ["into another program", "comfyvn-sync vault export - | pass insert -m studio/vault"],
    ],
  });
  return cli.action(command, async (called) => {
    const flags = called.optsWithGlobals<ExportFlags>();
    const target = exportTarget(called.args, flags);
    const path = target === "-" ? undefined : await newFile(cli, target);
    await withApp(cli, flags, async (app) => {
      const text = JSON.stringify(await app.vault.unlock(await app.passphrase()), null, 2);
      if (path === undefined) return await cli.print(text);
      await cli.platform.files.writeAtomic(path, new TextEncoder().encode(`${text}\n`), { mode: 0o600 });
      await warnIfMirrored(cli, app.root, path);
      await cli.print("exported; remove the file as soon as it has served");
    });
  });
}

/** Where an export goes, `-` for stdout. Never by default: what is printed ends in the mail of cron and in logs. @throws SyncError `usage` */
function exportTarget(files: readonly string[], { reveal, output }: ExportFlags): string {
  const named = [...files, ...(output === undefined ? [] : [output]), ...(reveal === true ? ["-"] : [])];
  const [target] = named;
  if (target !== undefined && named.length === 1) return target;
  throw new SyncError("usage", "an export shows every secret: say where to, either a FILE, or - for stdout");
}

/** A secret never takes the place of another file. @throws SyncError `usage` */
async function newFile({ platform: { files } }: CommandLine, path: string): Promise<string> {
  const resolved = files.resolve(path);
  if ((await files.lstat(resolved)) === undefined) return resolved;
  throw new SyncError("usage", "the file to export to is there already; remove it or name another");
}
