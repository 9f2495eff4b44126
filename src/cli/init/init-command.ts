import { Command, Option } from "commander";
import { SERVICE_FLAGS, type ServiceName } from "../../config/flags.ts";
import { type ConfigEdit, editConfig } from "../../config/edit-config.ts";
import { CONFIG_FILES } from "../../config/settings.ts";
import type { App, DryRunResult } from "../../app.ts";
import { SyncError } from "../../core/errors.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import { type CommandLine, EXIT } from "../command-line.ts";
import { printable } from "../format.ts";
import { withHelp } from "../help.ts";
import { withJson, withPassphrase } from "../options.ts";
import { planText } from "../plan-text.ts";
import { withApp, type WorkspaceFlags } from "../workspace.ts";
import { Answers } from "./answers.ts";
import { askDrive, askFolder, askS3, checkFlags, type DestinationAnswers, withChanges } from "./destination.ts";
import { makeVault, openVault, type VaultSources } from "./open-vault.ts";

interface InitFlags extends WorkspaceFlags, DestinationAnswers {
  readonly service?: ServiceName;
  readonly generate?: boolean;
  readonly dryRun: boolean;
}

/** What `init --json` prints. */
interface InitResult {
  readonly service: ServiceName;
  readonly vault: "created" | "changed" | "unchanged" | "not needed";
  readonly config: "changed" | "unchanged";
  /** As the API answers a dry run; null when none was wanted. */
  readonly dry_run: DryRunResult | null;
}

const WORDS = `
Asks where to mirror to, puts the credentials into the vault, switches the flags on
and shows what the first run would do. Each question can be answered by a flag; in
a script each has to be. Secrets are typed unseen, or come from a file, stdin or
the environment, and never from a flag's value. Run it again to change an answer:
what you do not change stays.`;

/** `init`: from nothing to a first dry run. */
export function initCommand(cli: CommandLine): Command {
  const command = withJson(
    withPassphrase(
      new Command("init")
        .summary("set up a mirror, question by question")
        .description("set up a mirror: where to, credentials, flags, first dry run")
        .addOption(
          new Option("--service <service>", "where to: a bucket, a Drive folder, or a folder").choices(
            Object.keys(SERVICE_FLAGS),
          ),
        )
        .option("--folder <folder>", "local: the folder to mirror to, e.g. on a NAS")
        .option("--bucket <name>", "s3: the bucket")
        .option("--endpoint-url <url>", "s3: the store's address, where it is not Amazon's")
        .option("--region <name>", "s3: the region (default: us-east-1)")
        .option("--parent-id <id>", "gdrive: the folder's id, or its address in the browser")
        .option("--manifest-parent-id <id>", "gdrive: another folder for the manifests")
        .option("--prefix <prefix>", "s3, gdrive: a folder inside the destination")
        .option(
          "--credentials-file <file>",
          "s3: keys as JSON, NAME=VALUE lines or Amazon's CSV; gdrive: the service account's JSON; - is stdin",
        )
        .option("--credentials-from-env", "s3: keys from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
        .option("--generate", "make a strong passphrase for a new vault; as vault init does")
        .option("--no-dry-run", "end without a dry run"),
    ),
  );
  withHelp(command, {
    words: WORDS,
    examples: [
      ["question by question", "comfyvn-sync init"],
      ["a NAS folder, in a script", "comfyvn-sync init --service local --folder /mnt/nas/studio"],
      [
        "a bucket, in a script",
        "comfyvn-sync init --service s3 --bucket studio --region eu-central-1 \\\n--credentials-file keys.csv --generate --passphrase-file ~/studio.key",
      ],
    ],
  });
  return cli.action(command, async (called) => {
    const flags = called.optsWithGlobals<InitFlags>();
    cli.whenStopped = "nothing was changed";
    const result = await setUp(cli, flags);
    if (flags.json === true) await cli.printJson(result);
    return result.dry_run !== null && result.dry_run.summary.warnings.length > 0 ? EXIT.partial : EXIT.ok;
  });
}

async function setUp(cli: CommandLine, flags: InitFlags): Promise<InitResult> {
  if (flags.service !== undefined) checkFlags(flags.service, flags);
  const answers = await Answers.open(cli);
  const { passphraseFile, ...others } = flags;
  const sources: VaultSources = { passphraseFile, generate: flags.generate === true };
  /** Known once the vault is opened or made; the dry run asks for it again. */
  const known: Passphrase = { text: undefined };
  return await withApp(
    cli,
    others,
    async (app) => {
      answers.prompts?.begin(`Set up a mirror of ${printable(app.root)}`);
      const settings = await app.settings();
      const service = await chooseService(answers, flags);
      checkFlags(service, flags);
      const edits: ConfigEdit[] = ["enable_cloud_sync", SERVICE_FLAGS[service]].map((flag) => ({
        path: ["features", flag],
        value: true,
      }));
      let vault: InitResult["vault"] = "not needed";
      if (service === "local") {
        const folder = await askFolder(cli, app.root, answers, flags.folder, settings.sync.localPath);
        edits.push({ path: ["sync", "local", "path"], value: folder });
      } else vault = await keepDestination({ cli, app, answers, flags, sources, known }, service);
      const config = (await editConfig(cli.platform.files, app.root, edits)) ? "changed" : "unchanged";
      await checkSettings(app, service, edits.at(-1)?.value);
      cli.whenStopped = "the settings are kept; nothing was mirrored";
      await report(cli, flags, service, vault, config);
      const dryRun = flags.dryRun ? await app.dryRun({ service }, cli.signal) : null;
      if (dryRun !== null) await showDryRun(cli, flags, dryRun);
      answers.prompts?.end(`next: comfyvn-sync run --service ${service}`);
      return { service, vault, config, dry_run: dryRun };
    },
    () => known.text,
  );
}

async function chooseService(answers: Answers, flags: InitFlags): Promise<ServiceName> {
  return await answers.choose<ServiceName>(
    "--service",
    flags.service,
    "Where should the workspace be mirrored to?",
    [
      { value: "local", label: "A folder", hint: "another disk, a NAS" },
      { value: "s3", label: "A bucket", hint: "Amazon S3 or a compatible store" },
      { value: "gdrive", label: "A Google Drive folder", hint: "with a service account" },
    ],
    "local",
  );
}

interface Passphrase {
  text: string | undefined;
}

interface Parts {
  readonly cli: CommandLine;
  readonly app: App;
  readonly answers: Answers;
  readonly flags: InitFlags;
  readonly sources: VaultSources;
  readonly known: Passphrase;
}

/**
 * Puts the destination's settings into the vault, over what it has at their place. A new vault is made when every
 * question is answered, so that a set-up that is given up leaves none.
 */
async function keepDestination(parts: Parts, service: "s3" | "gdrive"): Promise<InitResult["vault"]> {
  const { cli, app, answers, flags, sources, known } = parts;
  const opened = await openVault(cli, app, sources);
  const ask = service === "s3" ? askS3 : askDrive;
  const changes = await ask(cli, answers, flags, entryOf(opened?.payload ?? {}, service));
  known.text = opened === undefined ? await makeVault(cli, app, answers, sources) : opened.passphrase;
  // Laid over what is there now: somebody may have changed the vault while the questions were asked.
  const stored = await app.vault.update((payload) => {
    const all = payload["cloud_sync"];
    const entry = withChanges(entryOf(payload, service), changes);
    return { ...payload, cloud_sync: { ...(isJsonObject(all) ? all : {}), [service]: entry } };
  }, known.text);
  if (opened === undefined) return "created";
  return stored.written ? "changed" : "unchanged";
}

function entryOf(payload: JsonObject, service: "s3" | "gdrive"): JsonObject {
  const all = payload["cloud_sync"];
  const entry = isJsonObject(all) ? all[service] : undefined;
  return isJsonObject(entry) ? entry : {};
}

/** comfyvn.json at the workspace's root wins over what was written. @throws SyncError `config_invalid` */
async function checkSettings(app: App, service: ServiceName, folder: unknown): Promise<void> {
  const { features, sync } = await app.settings();
  const isOn = features.enable_cloud_sync && features[SERVICE_FLAGS[service]];
  if (isOn && (service !== "local" || sync.localPath === folder)) return;
  throw new SyncError(
    "config_invalid",
    `${CONFIG_FILES[0]} is changed, but ${CONFIG_FILES[1]} at the workspace's root says otherwise and wins; ` +
      "change its features and sync there, then run this again",
  );
}

async function report(
  cli: CommandLine,
  flags: InitFlags,
  service: ServiceName,
  vault: InitResult["vault"],
  config: InitResult["config"],
): Promise<void> {
  if (flags.json === true) return;
  const { good } = cli.style;
  const lines = [`${good("config")}  ${CONFIG_FILES[0]} ${config}: mirrors to ${service} are on`];
  if (vault !== "not needed") lines.unshift(`${good("vault")}   ${vault}: cloud_sync.${service} holds the destination`);
  await cli.print(lines.join("\n"));
}

async function showDryRun(cli: CommandLine, flags: InitFlags, result: DryRunResult): Promise<void> {
  const { warnings, provider, reason } = result.summary;
  if (provider === "stub") cli.warn(`planned without the provider: ${reason ?? "it cannot be loaded"}`);
  for (const warning of warnings) cli.warn(warning);
  if (flags.json !== true) await cli.print(`\n${planText(result, cli.screen)}`);
  if (warnings.length > 0) cli.note("the settings are kept; put right what the warning says, then run init again");
}
