import { Command, InvalidArgumentError } from "commander";
import type { App } from "../../app.ts";
import { SyncError } from "../../core/errors.ts";
import type { CommandLine, CommonFlags } from "../command-line.ts";
import { formatCount, formatTable, printable } from "../format.ts";
import { withHelp } from "../help.ts";
import { withJson } from "../options.ts";
import { readValue } from "../vault/secret-input.ts";
import { withApp } from "../workspace.ts";

/** What is shown of lists that may be long. */
const SHOWN_MAX = 100;

type Webhooks = App["webhooks"];

/** `hooks webhooks list|add|remove|pending|dead|attempts|redeliver`, in the workspace: needs no server. */
export function webhooksCommand(cli: CommandLine): Command {
  const group = new Command("webhooks")
    .summary("who is sent which event, and what could not be delivered")
    .description("who is sent which event, and what could not be delivered; needs no server");
  for (const make of [listCommand, addCommand, removeCommand, pendingCommand, deadCommand, attemptsCommand])
    group.addCommand(make(cli));
  group.addCommand(redeliverCommand(cli));
  return withHelp(group, {
    words: `
Webhooks are kept in data/webhooks.json, which the studio reads too. Events are
sent by a running server, or by the command that caused them when none runs.`,
    examples: [
      ["have the end of each run told", "comfyvn-sync hooks webhooks add on_cloud_sync_complete https://ci.example/in"],
      ["send what was given up once more", "comfyvn-sync hooks webhooks redeliver"],
    ],
  });
}

function listCommand(cli: CommandLine): Command {
  const command = withJson(new Command("list").description("show the webhooks, never their secrets"));
  withHelp(command, { examples: [["how they fare", "comfyvn-sync hooks webhooks list"]] });
  return show(
    cli,
    command,
    (webhooks) => ({ ok: true, webhooks: webhooks.list() }),
    ({ webhooks }) => {
      if (webhooks.length === 0) return "no webhooks yet";
      return formatTable(
        webhooks.map(({ id, event, url, signed, pending, failures }) => [
          ...[id, printable(event), printable(url), signed ? "signed" : "not signed"],
          pending === 0
            ? "nothing waits"
            : `${formatCount(pending, "event")} waiting after ${formatCount(failures, "failure")}`,
        ]),
      );
    },
  );
}

interface AddFlags extends CommonFlags {
  readonly secret?: boolean;
}

function addCommand(cli: CommandLine): Command {
  const command = withJson(
    new Command("add")
      .description("have an event POSTed to an address from now on")
      .argument("<event>", "as `hooks list` names it")
      .argument("<url>", "http or https, on the public internet unless hooks.allow_private_targets is set")
      .option("--secret", "sign with a secret read from stdin, or typed unseen"),
  );
  withHelp(command, {
    words: `
The secret is any text, or whsec_ and the base64 of a key. An event and address
that are there already get the new secret.`,
    examples: [["signed", "comfyvn-sync hooks webhooks add --secret EVENT https://ci.example/in <key"]],
  });
  return cli.action(command, async (called) => {
    const flags = called.optsWithGlobals<AddFlags>();
    const [event = "", url = ""] = called.args;
    const secret = flags.secret === true ? await readValue(cli) : undefined;
    const webhook = await withApp(cli, flags, ({ webhooks }) => webhooks.register({ event, url, secret }));
    if (flags.json === true) return await cli.printJson({ ok: true, webhook });
    await cli.print(
      `${webhook.id}  ${printable(webhook.url)} gets ${webhook.event}, ${webhook.signed ? "" : "not "}signed`,
    );
  });
}

function removeCommand(cli: CommandLine): Command {
  const command = withJson(
    new Command("remove").description("end a webhook and drop what waits for it").argument("<id>", "as list shows it"),
  );
  withHelp(command, { examples: [["by its id", "comfyvn-sync hooks webhooks remove 5b1f0c2d9e8a7b6c"]] });
  return cli.action(command, async (called) => {
    const flags = called.optsWithGlobals<CommonFlags>();
    const [id = ""] = called.args;
    const removed = await withApp(cli, flags, ({ webhooks }) => webhooks.remove({ id }));
    if (removed === 0) throw new SyncError("webhook_missing", "there is no webhook of that id; list shows them");
    await (flags.json === true ? cli.printJson({ ok: true, removed }) : cli.print("removed"));
  });
}

function pendingCommand(cli: CommandLine): Command {
  const command = withJson(new Command("pending").description("show the events that wait to be sent, in order"));
  withHelp(command, { examples: [["what waits", "comfyvn-sync hooks webhooks pending"]] });
  return show(
    cli,
    command,
    (webhooks) => ({ ok: true, items: webhooks.pending(SHOWN_MAX) }),
    ({ items }) => {
      if (items.length === 0) return "nothing waits";
      return formatTable(
        items.map(({ id, event, url, queued_at, attempts }) => [
          ...[String(id), queued_at, event, printable(url ?? "(nobody)"), formatCount(attempts, "failed attempt")],
        ]),
      );
    },
  );
}

function deadCommand(cli: CommandLine): Command {
  const command = withJson(new Command("dead").description("show the events that were given up, the latest first"));
  withHelp(command, { examples: [["what was given up", "comfyvn-sync hooks webhooks dead"]] });
  return show(
    cli,
    command,
    (webhooks) => ({ ok: true, items: webhooks.deadLetters(SHOWN_MAX) }),
    ({ items }) => {
      if (items.length === 0) return "nothing was given up";
      return formatTable(
        items.map(({ id, event, url, dead_at, reason }) => [
          String(id),
          dead_at,
          event,
          printable(url ?? "(nobody)"),
          reason,
        ]),
      );
    },
  );
}

function attemptsCommand(cli: CommandLine): Command {
  const command = withJson(
    new Command("attempts").description("show what was sent and what came of it, the latest first"),
  );
  withHelp(command, { examples: [["why something does not arrive", "comfyvn-sync hooks webhooks attempts"]] });
  return show(
    cli,
    command,
    (webhooks) => ({ ok: true, items: webhooks.attempts(SHOWN_MAX) }),
    ({ items }) => {
      if (items.length === 0) return "nothing was sent yet";
      return formatTable(
        items.map(({ at, event, url, ok, status, failure, duration_ms }) => [
          ...[
            at,
            event,
            printable(url ?? "(nobody)"),
            ok ? "ok" : (failure ?? ""),
            status === null ? "" : String(status),
          ],
          `${duration_ms} ms`,
        ]),
      );
    },
  );
}

function redeliverCommand(cli: CommandLine): Command {
  const command = withJson(
    new Command("redeliver")
      .description("send events again that were given up, in their old order")
      .argument("[id...]", "as dead shows them (default: all)", idsOf),
  );
  withHelp(command, { examples: [["all of them", "comfyvn-sync hooks webhooks redeliver"]] });
  return cli.action(command, async (called) => {
    const flags = called.optsWithGlobals<CommonFlags>();
    const ids = (called.processedArgs[0] ?? []) as readonly number[];
    const redelivered = await withApp(cli, flags, async ({ webhooks }) =>
      webhooks.redeliver(ids.length === 0 ? undefined : ids),
    );
    if (flags.json === true) return await cli.printJson({ ok: true, redelivered });
    await cli.print(redelivered === 0 ? "nothing was given up" : `${formatCount(redelivered, "event")} queued again`);
  });
}

function idsOf(value: string, before: readonly number[] | undefined): readonly number[] {
  if (!/^\d{1,15}$/.test(value)) throw new InvalidArgumentError("It is a number that `dead` shows.");
  return [...(before ?? []), Number(value)];
}

/** A command that only shows something: as the API answers it, or as text. */
function show<Answer extends object>(
  cli: CommandLine,
  command: Command,
  ask: (webhooks: Webhooks) => Answer,
  textOf: (answer: Answer) => string,
): Command {
  return cli.action(command, async (called) => {
    const flags = called.optsWithGlobals<CommonFlags>();
    const answer = await withApp(cli, flags, async ({ webhooks }) => ask(webhooks));
    await (flags.json === true ? cli.printJson(answer) : cli.print(textOf(answer)));
  });
}
