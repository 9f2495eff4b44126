import { Command, InvalidArgumentError } from "commander";
import type { BackupList, CreatedBackup, RestoredBackup, VerifiedBackup } from "../app.ts";
import { createdStatus, hasUnread, restoredStatus } from "./backup-status.ts";
import { type CommandLine, EXIT } from "./command-line.ts";
import { formatBytes, formatCount, formatTable, printable } from "./format.ts";
import { withHelp } from "./help.ts";
import { repeated, withJson, withServer } from "./options.ts";
import { backupProgress } from "./progress/progress.ts";
import { type ServerFlags, withApi } from "./remote/with-api.ts";

/** Paths shown of a list that may be long. */
const SHOWN_MAX = 20;

/** `backup create|list|verify|restore`. */
export function backupCommand(cli: CommandLine): Command {
  const group = new Command("backup")
    .summary("make and restore ZIP archives")
    .description("make and restore ZIP archives, kept under backups/cloud");
  for (const make of [createCommand, listCommand, verifyCommand, restoreCommand]) group.addCommand(make(cli));
  return withHelp(group, {
    words: `
An archive is a ZIP file that any tool opens. Backups stay in the workspace; a
mirror (plan, run) brings files to another place.`,
    examples: [
      ["before a big change", "comfyvn-sync backup create --label before-recolour"],
      ["which ones there are", "comfyvn-sync backup list"],
    ],
  });
}

interface CreateFlags extends ServerFlags {
  readonly label?: string;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly maxBackups?: number;
}

function createCommand(cli: CommandLine): Command {
  const command = withJson(
    withServer(
      new Command("create")
        .description("archive files, then remove the oldest archives over the limit")
        .option("--label <label>", "part of the archive's name")
        .option("--include <path>", "this file or folder instead of data, assets and config; may be repeated", repeated)
        .option(
          "--exclude <pattern>",
          "leave out what matches, e.g. '*.psd', instead of what the settings leave out; may be repeated",
          repeated,
        )
        .option("--max-backups <count>", "archives kept, this one included: 1 to 50 (default: 5)", backupCount),
    ),
  );
  withHelp(command, {
    words: `
Once the new archive is whole on the disk, the oldest ones over the limit are
removed. Files that something else named are never touched.`,
    examples: [
      ["archive data, assets and config", "comfyvn-sync backup create"],
      [
        "two folders, under a name, ten archives kept",
        "comfyvn-sync backup create --label demo --include assets \\\n--include scripts --max-backups 10",
      ],
    ],
  });
  return cli.action(command, async (called) => {
    const flags = called.optsWithGlobals<CreateFlags>();
    const { label, include, exclude, maxBackups } = flags;
    const request = {
      ...(label === undefined ? {} : { label }),
      ...(include === undefined ? {} : { include: [...include] }),
      ...(exclude === undefined ? {} : { exclude: [...exclude] }),
      ...(maxBackups === undefined ? {} : { max_backups: maxBackups }),
    };
    cli.whenStopped = "no archive was made, and none removed";
    const backup = await withApi(cli, flags, (api, progress) =>
      api.createBackup(request, { signal: cli.signal, onProgress: (at) => progress.show(backupProgress(at)) }),
    );
    await (flags.json === true ? cli.printJson(backup) : cli.print(createdText(backup)));
    return createdStatus(backup);
  });
}

function backupCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 50)
    throw new InvalidArgumentError("It is a number from 1 to 50.");
  return count;
}

function listCommand(cli: CommandLine): Command {
  const command = withJson(withServer(new Command("list").description("show the archives, newest first")));
  withHelp(command, {
    examples: [
      ["names, dates and sizes", "comfyvn-sync backup list"],
      ["the newest one's name, for a script", "comfyvn-sync backup list --json | jq -r '.backups[0].name'"],
    ],
  });
  return cli.action(command, async (called) => {
    const flags = called.optsWithGlobals<ServerFlags>();
    const list = await withApi(cli, flags, (api) => api.listBackups());
    await (flags.json === true ? cli.printJson(list) : cli.print(listText(list)));
  });
}

function verifyCommand(cli: CommandLine): Command {
  const command = withJson(
    withServer(
      new Command("verify")
        .description("read a whole archive and hold it against its manifest")
        .argument("<archive>", "its name; backup list shows them"),
    ),
  );
  withHelp(command, {
    words: `
Every byte is read and checked. Exit status 1 when anything is wrong; the archive
itself is never changed.`,
    examples: [["is it whole?", "comfyvn-sync backup verify 20251215T080530Z-pre-release.zip"]],
  });
  return cli.action(command, async (called) => {
    const flags = called.optsWithGlobals<ServerFlags>();
    const [name = ""] = called.args;
    cli.whenStopped = "the archive is as it was";
    const result = await withApi(cli, flags, (api, progress) =>
      api.verifyBackup(name, { signal: cli.signal, onProgress: (at) => progress.show(backupProgress(at)) }),
    );
    await (flags.json === true ? cli.printJson(result) : cli.print(verifiedText(result)));
    return result.ok ? EXIT.ok : EXIT.failed;
  });
}

interface RestoreFlags extends ServerFlags {
  readonly replaceExisting?: boolean;
  readonly path?: readonly string[];
}

function restoreCommand(cli: CommandLine): Command {
  const command = withJson(
    withServer(
      new Command("restore")
        .description("bring files of an archive back; existing ones stay unless they are to be replaced")
        .argument("<archive>", "its name; backup list shows them")
        .option("--replace-existing", "replace files that exist")
        .option("--path <path>", "restore only what is at or below it; may be repeated", repeated),
    ),
  );
  withHelp(command, {
    words: `
The whole archive is checked before the first file is written, and each file is
either the old one or the new one, never half of it. The vault is never replaced.`,
    examples: [
      [
        "bring back what is missing, leave the rest alone",
        "comfyvn-sync backup restore 20251215T080530Z-pre-release.zip",
      ],
      [
        "take one folder back to what it was",
        "comfyvn-sync backup restore 20251215T080530Z-pre-release.zip \\\n--path assets/ui --replace-existing",
      ],
    ],
  });
  return cli.action(command, async (called) => {
    const flags = called.optsWithGlobals<RestoreFlags>();
    const [name = ""] = called.args;
    const { path: paths, replaceExisting } = flags;
    const request = {
      name,
      replace_existing: replaceExisting === true,
      ...(paths === undefined ? {} : { paths: [...paths] }),
    };
    cli.whenStopped = "files restored so far are whole; the same command goes on with the rest";
    const result = await withApi(cli, flags, (api, progress) =>
      api.restoreBackup(request, { signal: cli.signal, onProgress: (at) => progress.show(backupProgress(at)) }),
    );
    await (flags.json === true ? cli.printJson(result) : cli.print(restoredText(result)));
    return restoredStatus(result);
  });
}

function createdText(backup: CreatedBackup): string {
  const { name, files, content_bytes, bytes, removed, kept, skipped } = backup;
  return [
    `${name}: ${formatCount(files, "file")}, ${formatBytes(content_bytes)} in ${formatBytes(bytes)}`,
    ...removed.map((old) => `removed ${old}`),
    ...kept.map((old) => `kept ${old}: it holds files at places where this backup found none`),
    ...shown(skipped.map(({ path, reason }) => `not archived: ${printable(path)} (${reason})`)),
    ...(hasUnread(backup) ? ["older archives stay until everything can be read"] : []),
  ].join("\n");
}

function listText({ backups }: BackupList): string {
  if (backups.length === 0) return "no backups yet";
  return formatTable(backups.map(({ name, created_at, bytes }) => [name, created_at, formatBytes(bytes)]));
}

function verifiedText(result: VerifiedBackup): string {
  const { name, ok, files, content_bytes, problems, missing, extra } = result;
  return [
    `${name}: ${ok ? "whole" : "NOT whole"}, ${formatCount(files, "file")}, ${formatBytes(content_bytes)}`,
    ...shown(problems.map(({ path, problem }) => (path === null ? problem : `${printable(path)}: ${problem}`))),
    ...shown(missing.map((path) => `missing: ${printable(path)}`)),
    ...shown(extra.map((path) => `not in the manifest: ${printable(path)}`)),
  ].join("\n");
}

function restoredText({ name, restored, skipped, skipped_reasons }: RestoredBackup): string {
  const reasons = Object.entries(skipped_reasons).map(([reason, count]) => `${count} ${reason}`);
  const why = reasons.length === 0 ? "" : ` (${reasons.join(", ")})`;
  return `${name}: ${formatCount(restored.length, "file")} restored, ${skipped.length} skipped${why}`;
}

function shown(lines: readonly string[]): string[] {
  if (lines.length <= SHOWN_MAX) return [...lines];
  return [...lines.slice(0, SHOWN_MAX), `… and ${lines.length - SHOWN_MAX} more; --json has all`];
}
