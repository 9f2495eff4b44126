import { Command } from "commander";
import type { ConformanceResult } from "../app.ts";
import { type CommandLine, EXIT } from "./command-line.ts";
import { withHelp } from "./help.ts";
import { printable } from "./format.ts";
import { withDestination, withJson, withPassphrase } from "./options.ts";
import { type DestinationFlags, destinationRequest } from "./sync-request.ts";
import { withApp } from "./workspace.ts";

const WORDS: Readonly<Record<ConformanceResult["outcome"], string>> = {
  passed: "ok  ",
  failed: "FAIL",
  not_applicable: "n/a ",
};

/** `provider verify`. */
export function providerCommand(cli: CommandLine): Command {
  const group = new Command("provider").description("check a destination").addCommand(verifyCommand(cli));
  return withHelp(group, { examples: [["before you trust a bucket", "comfyvn-sync provider verify --service s3"]] });
}

function verifyCommand(cli: CommandLine): Command {
  const command = withJson(
    withPassphrase(
      withDestination(
        new Command("verify")
          .summary("check that a destination keeps what a mirror relies on")
          .description(
            "hold the configured destination to what this program expects of it: writes some thousand small objects of its " +
              "own inside the destination's prefix, checks them, and removes them; nothing else there is touched",
          ),
      ),
    ),
  );
  withHelp(command, {
    words: `
Exit status 1 when a case fails: then runs to this destination are not as safe
as they should be. Stopped by Ctrl-C it removes what it has written.`,
    examples: [
      ["is the bucket of the vault good enough?", "comfyvn-sync provider verify --service s3"],
      ["a NAS folder, before trusting it", "comfyvn-sync provider verify --service local"],
    ],
  });
  return cli.action(command, async (called) => {
    const flags = called.optsWithGlobals<DestinationFlags>();
    cli.whenStopped = "what was written to the destination is removed again";
    const results = await withApp(cli, flags, async (app) => {
      const all: ConformanceResult[] = [];
      for await (const result of app.verifyDestination(destinationRequest(flags), cli.signal)) {
        all.push(result);
        if (flags.json !== true) await cli.print(resultText(result));
      }
      return all;
    });
    const count = (outcome: ConformanceResult["outcome"]) => results.filter((each) => each.outcome === outcome).length;
    const counts = { passed: count("passed"), failed: count("failed"), not_applicable: count("not_applicable") };
    if (flags.json === true) await cli.printJson({ service: flags.service, ...counts, results });
    else await cli.print(`${counts.passed} passed, ${counts.failed} failed, ${counts.not_applicable} do not apply`);
    return counts.failed === 0 ? EXIT.ok : EXIT.failed;
  });
}

function resultText({ outcome, name, detail }: ConformanceResult): string {
  return `${WORDS[outcome]} ${name}${detail === undefined ? "" : `: ${printable(detail)}`}`;
}
