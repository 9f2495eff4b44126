import { Command, Option } from "commander";
import type { ManifestAnswer } from "../app.ts";
import type { CommandLine } from "./command-line.ts";
import { formatBytes, formatCount, formatTable, printable } from "./format.ts";
import { withHelp } from "./help.ts";
import { repeated, withJson, withServer } from "./options.ts";
import { skippedText } from "./plan-text.ts";
import { scanProgress } from "./progress/progress.ts";
import { type ServerFlags, withApi } from "./remote/with-api.ts";

interface ManifestFlags extends ServerFlags {
  readonly snapshot?: string;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly followSymlinks?: boolean;
  readonly detail?: "entries";
  readonly rehash?: boolean;
}

/** `manifest`: the workspace as it is now. */
export function manifestCommand(cli: CommandLine): Command {
  const command = withJson(
    withServer(
      new Command("manifest")
        .summary("what a mirror would hold, with checksums")
        .description("read the workspace and show its manifest: what a mirror would hold, with checksums")
        .option("--snapshot <name>", "name of the mirror, if you keep several (default: default)")
        .option(
          "--include <paths>",
          "only these files and folders, with commas between them; may be repeated",
          repeated,
        )
        .option(
          "--exclude <patterns>",
          "leave out what matches, with commas between patterns; may be repeated",
          repeated,
        )
        .option("--follow-symlinks", "follow symlinks that stay inside the workspace")
        .option("--rehash", "read every file again, even if its size and time are as before")
        .addOption(new Option("--detail <what>", "list every file too").choices(["entries"])),
    ),
  );
  withHelp(command, {
    words: `
Two workspaces with the same files have the same digest, on any machine.`,
    examples: [
      ["what a mirror would hold, in numbers", "comfyvn-sync manifest"],
      ["every file of the assets with its SHA-256", "comfyvn-sync manifest --include assets --detail entries"],
      ["compare two machines", "comfyvn-sync manifest --json | jq -r .digest"],
    ],
  });
  return cli.action(command, async (called) => {
    const flags = called.optsWithGlobals<ManifestFlags>();
    const request = {
      snapshot: flags.snapshot,
      include: listOf(flags.include),
      exclude: listOf(flags.exclude),
      followSymlinks: flags.followSymlinks,
      withEntries: flags.detail === "entries",
      rehash: flags.rehash,
    };
    cli.whenStopped = "nothing was changed";
    const answer = await withApi(cli, flags, (api, progress) =>
      api.manifest(request, cli.signal, (at) => progress.show(scanProgress(at))),
    );
    await (flags.json === true ? cli.printJson(answer) : cli.print(manifestText(answer)));
  });
}

/** Commas separate, as in the API's query; nothing but empty items counts as absent. */
function listOf(texts: readonly string[] | undefined): readonly string[] | undefined {
  const items = texts?.flatMap((text) => text.split(",")).filter((item) => item !== "") ?? [];
  return items.length === 0 ? undefined : items;
}

/** A manifest for a person. */
function manifestText(answer: ManifestAnswer): string {
  const rows = [
    ["entries", `${formatCount(answer.entries, "file")}, ${formatBytes(answer.bytes)}`],
    ["checksum", answer.checksum],
    ["digest", answer.digest],
    ["include", answer.include.map((path) => (path === "" ? "." : printable(path))).join(" ")],
    ["exclude", answer.exclude.map(printable).join(" ")],
  ];
  const entries = answer.detail?.map((entry) => [entry.sha256, String(entry.size), printable(entry.path)]) ?? [];
  return [
    `manifest ${answer.name} of ${printable(answer.root)}`,
    formatTable(rows, "  "),
    ...(entries.length === 0 ? [] : [formatTable(entries)]),
    ...skippedText(answer.skipped),
  ].join("\n");
}
