import { Argument, Command } from "commander";
import { writeFlags } from "../config/edit-flags.ts";
import { SERVICE_FLAGS } from "../config/flags.ts";
import { FLAG_NAMES, type FlagName } from "../config/schema.ts";
import { CONFIG_FILES, loadSettings, type Settings } from "../config/settings.ts";
import { SyncError } from "../core/errors.ts";
import type { CommandLine, CommonFlags } from "./command-line.ts";
import { withHelp } from "./help.ts";
import { formatTable } from "./format.ts";
import { withJson } from "./options.ts";
import { workspaceRoot } from "./workspace.ts";

const GATE: FlagName = "enable_cloud_sync";
const SHORT_NAMES: ReadonlyMap<string, FlagName> = new Map(Object.entries(SERVICE_FLAGS));

const HELP = `
A NAME is a flag with or without "features." before it, or the short name of a
provider: s3, gdrive, local. A short name enables the provider's flag and
${GATE}, without which none works; it disables only the provider's.

The flags stand in ${CONFIG_FILES[0]} in the workspace and count from the
next request. Everything else in that file stays as it is.`;

/** `flags list|enable|disable`. */
export function flagsCommand(cli: CommandLine): Command {
  const group = new Command("flags")
    .summary("show and switch what is allowed")
    .description("show and switch what the workspace allows; everything is off at first")
    .addCommand(listCommand(cli))
    .addCommand(switchCommand(cli, "enable"))
    .addCommand(switchCommand(cli, "disable"));
  return withHelp(group, {
    examples: [
      ["what is on", "comfyvn-sync flags list"],
      ["allow mirrors to S3", "comfyvn-sync flags enable s3"],
    ],
  });
}

function listCommand(cli: CommandLine): Command {
  const command = withJson(new Command("list").description("show every flag"));
  withHelp(command, {
    examples: [["what is on", "comfyvn-sync flags list"]],
  });
  return cli.action(command, async (called) => {
    const flags = called.optsWithGlobals<CommonFlags>();
    const root = await workspaceRoot(cli, flags);
    await show(cli, flags, (await loadSettings(cli.platform.files, root)).features);
  });
}

function switchCommand(cli: CommandLine, verb: "enable" | "disable"): Command {
  const names = [...FLAG_NAMES, ...FLAG_NAMES.map((flag) => `features.${flag}`), ...SHORT_NAMES.keys()];
  const command = withJson(
    new Command(verb)
      .description(`${verb} flags`)
      .addArgument(new Argument("<name...>", "flags or providers").choices(names)),
  );
  withHelp(command, {
    words: HELP,
    examples: [
      [`${verb} the mirror to a folder`, `comfyvn-sync flags ${verb} local`],
      [`${verb} two flags by their names`, `comfyvn-sync flags ${verb} enable_cloud_sync enable_cloud_sync_s3`],
    ],
  });
  return cli.action(command, async (called) => {
    const flags = called.optsWithGlobals<CommonFlags>();
    const { files } = cli.platform;
    const root = await workspaceRoot(cli, flags);
    const on = verb === "enable";
    const named = new Set(called.args.flatMap((name) => flagsOf(name, on)));
    await writeFlags(files, root, Object.fromEntries([...named].map((flag) => [flag, on])));
    const { features } = await loadSettings(files, root);
    const overruled = [...named].filter((flag) => features[flag] !== on);
    if (overruled.length > 0) {
      throw new SyncError(
        "config_invalid",
        `${CONFIG_FILES[0]} is changed, but ${CONFIG_FILES[1]} at the workspace's root says otherwise and wins; ` +
          `change there: ${overruled.map((flag) => `features.${flag}`).join(", ")}`,
      );
    }
    await show(cli, flags, features);
  });
}

function flagsOf(name: string, on: boolean): FlagName[] {
  const provider = SHORT_NAMES.get(name);
  if (provider !== undefined) return on ? [GATE, provider] : [provider];
  return FLAG_NAMES.filter((flag) => name === flag || name === `features.${flag}`);
}

async function show(cli: CommandLine, flags: CommonFlags, features: Settings["features"]): Promise<void> {
  if (flags.json === true) return await cli.printJson({ features });
  await cli.print(formatTable(FLAG_NAMES.map((flag) => [`features.${flag}`, features[flag] ? "on" : "off"])));
}
