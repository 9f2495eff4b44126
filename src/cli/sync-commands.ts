import { Command } from "commander";
import type { RunRequest } from "../api/sync-request.ts";
import { type CommandLine, EXIT } from "./command-line.ts";
import { withHelp } from "./help.ts";
import { repeated, withDestination, withJson, withPassphrase, withServer } from "./options.ts";
import { planText } from "./plan-text.ts";
import type { Watched } from "./remote/server-progress.ts";
import { withApi } from "./remote/with-api.ts";
import { runText } from "./run-text.ts";
import { type PlanFlags, planRequest } from "./sync-request.ts";

interface RunFlags extends PlanFlags {
  readonly commitManifest: boolean;
  readonly confirmDeletes?: boolean;
}

/** `plan`: a dry run. */
export function planCommand(cli: CommandLine): Command {
  const command = withPlanOptions(
    new Command("plan")
      .summary("show what a run would do (a dry run)")
      .description("show what a run would do; nothing changes anywhere (a dry run)"),
  );
  withHelp(command, {
    words: `
Uploads are files that are new or changed here; deletes are files that are gone
here. A file that cannot be read is skipped and never taken for deleted.`,
    examples: [
      ["what would go to the bucket of the vault", "comfyvn-sync plan --service s3"],
      [
        "only two folders, as the snapshot nightly",
        "comfyvn-sync plan --service local --snapshot nightly assets scripts",
      ],
      ["count the uploads in a script", "comfyvn-sync plan --service s3 --json | jq .plan.files_to_upload"],
    ],
  });
  return cli.action(command, async (called) => {
    const flags = called.optsWithGlobals<PlanFlags>();
    cli.whenStopped = "nothing was changed";
    const request = planRequest(flags, called.args);
    const result = await withApi(cli, flags, (api) => api.dryRun(request, cli.signal), watched(request));
    if (flags.json === true) return await cli.printJson(result);
    const { warnings, provider, reason } = result.summary;
    if (provider === "stub") cli.warn(`planned without the provider: ${reason ?? "it cannot be loaded"}`);
    for (const warning of warnings) cli.warn(warning);
    await cli.print(planText(result, cli.screen));
  });
}

/** `run`: makes the destination equal to the workspace. */
export function runCommand(cli: CommandLine): Command {
  const command = withPlanOptions(
    new Command("run")
      .summary("send what changed, remove there what is gone here")
      .description("make the destination equal to the workspace: uploads, then deletes, then the manifest")
      .option("--no-commit-manifest", "leave the local manifest cache as it is, to review first")
      .option("--confirm-deletes", "delete even if it is most of what is there; a run is refused otherwise"),
  );
  withHelp(command, {
    words: `
A run that is stopped, or in which files fail (exit status 3), is finished by the
next one, which sends only what is missing. Nothing is published before every
file has arrived.`,
    examples: [
      ["mirror to the folder or bucket that was set up", "comfyvn-sync run --service local"],
      ["only the assets, whatever the settings include", "comfyvn-sync run --service s3 assets"],
      ["after a big clean-up, once the plan looks right", "comfyvn-sync run --service s3 --confirm-deletes"],
      ["let the server that runs already do it", "comfyvn-sync run --service s3 --server http://127.0.0.1:8001"],
    ],
  });
  return cli.action(command, async (called) => {
    const flags = called.optsWithGlobals<RunFlags>();
    const request: RunRequest = {
      ...planRequest(flags, called.args),
      commit_manifest: flags.commitManifest,
      confirm_deletes: flags.confirmDeletes === true,
    };
    cli.whenStopped = "nothing was published; what arrived stays, and the next run goes on from there";
    const result = await withApi(cli, flags, (api) => api.run(request, cli.signal), watched(request));
    if (flags.json === true) await cli.printJson(result);
    else {
      for (const warning of result.summary.warnings) cli.warn(warning);
      await cli.print(runText(result, cli.style));
    }
    return result.summary.status === "partial" ? EXIT.partial : EXIT.ok;
  });
}

function watched({ service, snapshot = "default" }: Pick<RunRequest, "service" | "snapshot">): Watched {
  return { service, snapshot };
}

function withPlanOptions(command: Command): Command {
  const options = withDestination(command.argument("[paths...]", "only these files and folders, the same as --path"))
    .option("--snapshot <name>", "name of the mirror, if you keep several (default: default)")
    .option("--path <path>", "only this file or folder of the workspace; may be repeated", repeated)
    .option(
      "--exclude <pattern>",
      "leave out what matches, e.g. '*.psd', instead of what the settings leave out; may be repeated",
      repeated,
    )
    .option("--follow-symlinks", "follow symlinks that stay inside the workspace")
    .option("--rehash", "read every file again, even if its size and time are as before");
  return withJson(withServer(withPassphrase(options)));
}
