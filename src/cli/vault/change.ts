import { Command } from "commander";
import { SyncError } from "../../core/errors.ts";
import type { CommandLine } from "../command-line.ts";
import { withHelp } from "../help.ts";
import { withJson, withPassphrase } from "../options.ts";
import { withApp, type WorkspaceFlags } from "../workspace.ts";
import { savedJson, savedText } from "./saved-text.ts";
import { parseSecretJson, readValue } from "./secret-input.ts";
import { nothingThere } from "./show.ts";

interface SetFlags extends WorkspaceFlags {
  readonly jsonValue?: boolean;
}

/** `vault set`: the value comes from stdin. */
export function setCommand(cli: CommandLine): Command {
  const command = withJson(
    withPassphrase(
      new Command("set")
        .description("put the value that stdin holds into the vault; objects on the way to its place are made")
        .argument("<path>", "its place, e.g. cloud_sync.s3.bucket; a backslash keeps a dot inside a name")
        .option("--json-value", "stdin holds JSON: a number, true, an object, … instead of text"),
    ),
  );
  withHelp(command, {
    words: `
What was there before stays in the vault as a backup (vault backups).`,
    examples: [
      ["typed unseen, on a terminal", "comfyvn-sync vault set cloud_sync.s3.aws_secret_access_key"],
      ["from a password manager", "pass show s3 | comfyvn-sync vault set cloud_sync.s3.aws_secret_access_key"],
      ["a number or true: JSON", "echo true | comfyvn-sync vault set cloud_sync.s3.path_style --json-value"],
    ],
  });
  return cli.action(command, async (called) => {
    const flags = called.optsWithGlobals<SetFlags>();
    const [path = ""] = called.args;
    if (path.includes("=")) {
      throw new SyncError("usage", "the value is read from stdin and never given as an argument; name the path only");
    }
    const result = await withApp(cli, flags, async (app) => {
      if (!(await app.hasVault())) throw noVault();
      const passphrase = await app.passphrase();
      const text = await readValue(cli);
      return await app.vault.set(path, flags.jsonValue === true ? parseSecretJson(text, "stdin") : text, passphrase);
    });
    await (flags.json === true ? cli.printJson(savedJson(result)) : cli.print(savedText(result)));
  });
}

/** `vault unset`: removes what is at a path. */
export function unsetCommand(cli: CommandLine): Command {
  const command = withJson(
    withPassphrase(
      new Command("unset")
        .description("remove a value, or everything below a path")
        .argument("<path>", "its place, e.g. cloud_sync.s3.aws_session_token"),
    ),
  );
  withHelp(command, {
    words: `
What was there before stays in the vault as a backup (vault backups).`,
    examples: [
      ["a token that has expired", "comfyvn-sync vault unset cloud_sync.s3.aws_session_token"],
      ["everything about Drive", "comfyvn-sync vault unset cloud_sync.gdrive"],
    ],
  });
  return cli.action(command, async (called) => {
    const flags = called.optsWithGlobals<WorkspaceFlags>();
    const [path = ""] = called.args;
    const result = await withApp(cli, flags, async (app) => await app.vault.unset(path, await app.passphrase()));
    if (!result.written) throw nothingThere();
    await (flags.json === true ? cli.printJson(savedJson(result)) : cli.print(savedText(result)));
  });
}

/** Said before anything is asked for or read. */
function noVault(): SyncError {
  return new SyncError("vault_missing", "there is no vault; make one with `comfyvn-sync vault init`");
}
