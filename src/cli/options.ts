import { type Command, Option } from "commander";
import { SERVICE_FLAGS } from "../config/flags.ts";

/** `--json`, for commands that give results. */
export function withJson(command: Command): Command {
  return command.option("--json", "print the API's answer as one JSON document, nothing else");
}

/** `--passphrase-file`, for commands that may open the vault. */
export function withPassphrase(command: Command): Command {
  return command.option(
    "--passphrase-file <file>",
    "file or pipe with the vault's passphrase (without it: COMFYVN_SECRETS_KEY, or a prompt)",
  );
}

/** `--server`, for commands that a running server can do. */
export function withServer(command: Command): Command {
  return command.option(
    "--server <url>",
    "let a running server do it, e.g. http://127.0.0.1:8001, in its own workspace (its token, if it has one: COMFYVN_API_TOKEN)",
  );
}

/** `--service` and where the destination's settings are. */
export function withDestination(command: Command): Command {
  return command
    .addOption(
      new Option("--service <service>", "where to: a bucket, a Drive folder, or a folder")
        .choices(Object.keys(SERVICE_FLAGS))
        .makeOptionMandatory(),
    )
    .option("--credentials-key <vault-path>", "where in the vault its settings are (default: cloud_sync.<service>)")
    .option("--bucket <name>", "bucket instead of the vault's")
    .option("--prefix <prefix>", "prefix inside the destination instead of the vault's");
}

/** Gathers an option that may be repeated. */
export function repeated(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}
