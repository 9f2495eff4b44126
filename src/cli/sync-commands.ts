import { Command } from "commander";
import type { RunRequest } from "../api/sync-request.ts";
import { type CommandLine, EXIT } from "./command-line.ts";
import { printable } from "./format.ts";
import { repeated, withDestination, withJson, withPassphrase } from "./options.ts";
import { planText } from "./plan-text.ts";
import { runText } from "./run-text.ts";
import { type PlanFlags, planRequest } from "./sync-request.ts";
import { withApp } from "./workspace.ts";

interface RunFlags extends PlanFlags {
  readonly commitManifest: boolean;
  readonly confirmDeletes?: boolean;
}

/** `plan`: a dry run. */
export function planCommand(cli: CommandLine): Command {
  const command = new Command("plan").description("show what a run would do; nothing changes anywhere (a dry run)");
  return cli.action(withPlanOptions(command), async (called) => {
    const flags = called.optsWithGlobals<PlanFlags>();
    const result = await withApp(cli, flags, (app) => app.dryRun(planRequest(flags, called.args), cli.signal));
    if (flags.json === true) return await cli.printJson(result);
    const { warnings, provider, reason } = result.summary;
    if (provider === "stub") cli.note(`warning: planned without the provider: ${reason ?? "it cannot be loaded"}`);
    warn(cli, warnings);
    await cli.print(planText(result));
  });
}

/** `run`: makes the destination equal to the workspace. */
export function runCommand(cli: CommandLine): Command {
  const command = new Command("run")
    .description("make the destination equal to the workspace: uploads, then deletes, then the manifest")
    .option("--no-commit-manifest", "leave the local manifest cache as it is")
    .option("--confirm-deletes", "carry out deletes that the delete guard refuses");
  return cli.action(withPlanOptions(command), async (called) => {
    const flags = called.optsWithGlobals<RunFlags>();
    const request: RunRequest = {
      ...planRequest(flags, called.args),
      commit_manifest: flags.commitManifest,
      confirm_deletes: flags.confirmDeletes === true,
    };
    const result = await withApp(cli, flags, (app) => app.run(request, cli.signal));
    if (flags.json === true) await cli.printJson(result);
    else {
      warn(cli, result.summary.warnings);
      await cli.print(runText(result));
    }
    return result.summary.status === "partial" ? EXIT.partial : EXIT.ok;
  });
}

function withPlanOptions(command: Command): Command {
  const options = withDestination(command.argument("[paths...]", "include paths, the same as --path"))
    .option("--snapshot <name>", "name of the mirror (default: default)")
    .option("--path <path>", "include path, relative to the workspace; may be repeated", repeated)
    .option("--exclude <pattern>", "exclude pattern instead of the settings'; may be repeated", repeated)
    .option("--follow-symlinks", "follow symlinks that stay inside the workspace")
    .option("--rehash", "read every file again");
  return withJson(withPassphrase(options));
}

function warn(cli: CommandLine, warnings: readonly string[]): void {
  for (const warning of warnings) cli.note(`warning: ${printable(warning)}`);
}
