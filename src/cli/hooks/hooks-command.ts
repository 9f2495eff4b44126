import { Command } from "commander";
import { toSyncError } from "../../core/errors.ts";
import { isJsonObject } from "../../core/json.ts";
import type { CommandLine } from "../command-line.ts";
import { formatTable, printable } from "../format.ts";
import { withHelp } from "../help.ts";
import { withJson } from "../options.ts";
import { withApp } from "../workspace.ts";
import { runningServer, type RunningServerFlags, withRunningServer } from "./running-server.ts";
import { tailHooks } from "./tail.ts";
import { webhooksCommand } from "./webhooks-command.ts";

const TAIL_HELP = `
Prints one line for each event from now on, until Ctrl-C. A lost connection is
made anew, and the events in between follow as far as the server kept them.`;

/** `hooks list`, `hooks tail` of a server that runs, and `hooks webhooks`. */
export function hooksCommand(cli: CommandLine): Command {
  const group = new Command("hooks")
    .summary("what tools are told")
    .description("see what a running server tells tools, and manage webhooks")
    .addCommand(listCommand(cli))
    .addCommand(tailCommand(cli))
    .addCommand(webhooksCommand(cli));
  return withHelp(group, {
    examples: [
      ["what there is to hear of", "comfyvn-sync hooks list"],
      ["watch it happen", "comfyvn-sync hooks tail"],
    ],
  });
}

function listCommand(cli: CommandLine): Command {
  const command = withJson(
    withRunningServer(new Command("list").description("show the events that tools can hear of")),
  );
  withHelp(command, { examples: [["with their payloads", "comfyvn-sync hooks list --json"]] });
  return cli.action(command, async (called) => {
    const flags = called.optsWithGlobals<RunningServerFlags>();
    const answer = await hookList(cli, flags);
    if (flags.json === true) return await cli.printJson(answer);
    const hooks = isJsonObject(answer) && Array.isArray(answer["hooks"]) ? answer["hooks"].filter(isJsonObject) : [];
    await cli.print(formatTable(hooks.map((hook) => [textOf(hook["name"]), textOf(hook["description"])])));
  });
}

/** A server's answer or, where none was named and none runs, the workspace's own. */
async function hookList(cli: CommandLine, flags: RunningServerFlags): Promise<unknown> {
  const server = await runningServer(cli, flags);
  try {
    return await (await server.get("/api/modder/hooks")).json();
  } catch (error) {
    if (flags.server !== undefined || toSyncError(error).code !== "server_unreachable") throw error;
    return await withApp(cli, flags, async (app) => app.hookList());
  }
}

function tailCommand(cli: CommandLine): Command {
  const command = withRunningServer(
    new Command("tail")
      .description("print events as they happen")
      .argument("[event...]", "the events to print (default: all)")
      .option("--json", "print each event's envelope as the server sends it, one a line"),
  );
  withHelp(command, {
    words: TAIL_HELP,
    examples: [
      ["only how runs end", "comfyvn-sync hooks tail on_cloud_sync_complete"],
      ["for a program, from another machine's server", "comfyvn-sync hooks tail --json --server http://studio:8001"],
    ],
  });
  return cli.action(command, async (called) => {
    const flags = called.optsWithGlobals<RunningServerFlags>();
    const server = await runningServer(cli, flags);
    return await tailHooks(cli, server, { topics: called.args, json: flags.json === true });
  });
}

function textOf(value: unknown): string {
  return typeof value === "string" ? printable(value) : "";
}
