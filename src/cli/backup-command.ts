import { Command, InvalidArgumentError } from "commander";
import type { BackupList, CreatedBackup, RestoredBackup, VerifiedBackup } from "../app.ts";
import { type CommandLine, type CommonFlags, EXIT } from "./command-line.ts";
import { formatBytes, formatCount, formatTable, printable } from "./format.ts";
import { repeated, withJson } from "./options.ts";
import { withApp } from "./workspace.ts";

/** Paths shown of a list that may be long. */
const SHOWN_MAX = 20;

/** `backup create|list|verify|restore`. */
export function backupCommand(cli: CommandLine): Command {
  return new Command("backup")
    .description("make and restore ZIP archives of the workspace, kept under backups/cloud")
    .addCommand(createCommand(cli))
    .addCommand(listCommand(cli))
    .addCommand(verifyCommand(cli))
    .addCommand(restoreCommand(cli));
}

interface CreateFlags extends CommonFlags {
  readonly label?: string;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly maxBackups?: number;
}

function createCommand(cli: CommandLine): Command {
  const command = withJson(
    new Command("create")
      .description("archive files, then remove the oldest archives over the limit")
      .option("--label <label>", "part of the archive's name")
      .option("--include <path>", "include path instead of data, assets and config; may be repeated", repeated)
      .option("--exclude <pattern>", "exclude pattern instead of the settings'; may be repeated", repeated)
      .option("--max-backups <count>", "archives kept, this one included: 1 to 50 (default: 5)", backupCount),
  );
  return cli.action(command, async (called) => {
    const flags = called.optsWithGlobals<CreateFlags>();
    const { label, include, exclude, maxBackups } = flags;
    const request = {
      ...(label === undefined ? {} : { label }),
      ...(include === undefined ? {} : { include: [...include] }),
      ...(exclude === undefined ? {} : { exclude: [...exclude] }),
      ...(maxBackups === undefined ? {} : { max_backups: maxBackups }),
    };
    const backup = await withApp(cli, flags, (app, progress) =>
      app.createBackup(request, { signal: cli.signal, onProgress: (at) => progress.showBackup(at) }),
    );
    await (flags.json === true ? cli.printJson(backup) : cli.print(createdText(backup)));
  });
}

function backupCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 50)
    throw new InvalidArgumentError("It is a number from 1 to 50.");
  return count;
}

function listCommand(cli: CommandLine): Command {
  const command = withJson(new Command("list").description("show the archives, newest first"));
  return cli.action(command, async (called) => {
    const flags = called.optsWithGlobals<CommonFlags>();
    const list = await withApp(cli, flags, (app) => app.listBackups());
    await (flags.json === true ? cli.printJson(list) : cli.print(listText(list)));
  });
}

function verifyCommand(cli: CommandLine): Command {
  const command = withJson(
    new Command("verify").description("read a whole archive and hold it against its manifest").argument("<name>"),
  );
  return cli.action(command, async (called) => {
    const flags = called.optsWithGlobals<CommonFlags>();
    const [name = ""] = called.args;
    const result = await withApp(cli, flags, (app, progress) =>
      app.verifyBackup(name, { signal: cli.signal, onProgress: (at) => progress.showBackup(at) }),
    );
    await (flags.json === true ? cli.printJson(result) : cli.print(verifiedText(result)));
    return result.ok ? EXIT.ok : EXIT.failed;
  });
}

interface RestoreFlags extends CommonFlags {
  readonly replaceExisting?: boolean;
  readonly path?: readonly string[];
}

function restoreCommand(cli: CommandLine): Command {
  const command = withJson(
    new Command("restore")
      .description("bring files of an archive back; existing ones stay unless they are to be replaced")
      .argument("<name>")
      .option("--replace-existing", "replace files that exist")
      .option("--path <path>", "restore only what is at or below it; may be repeated", repeated),
  );
  return cli.action(command, async (called) => {
    const flags = called.optsWithGlobals<RestoreFlags>();
    const [name = ""] = called.args;
    const { path: paths, replaceExisting } = flags;
    const request = {
      name,
      replace_existing: replaceExisting === true,
      ...(paths === undefined ? {} : { paths: [...paths] }),
    };
    const result = await withApp(cli, flags, (app, progress) =>
      app.restoreBackup(request, { signal: cli.signal, onProgress: (at) => progress.showBackup(at) }),
    );
    await (flags.json === true ? cli.printJson(result) : cli.print(restoredText(result)));
  });
}

function createdText(backup: CreatedBackup): string {
  const { name, files, content_bytes, bytes, removed, skipped } = backup;
  return [
    `${name}: ${formatCount(files, "file")}, ${formatBytes(content_bytes)} in ${formatBytes(bytes)}`,
    ...removed.map((old) => `removed ${old}`),
    ...shown(skipped.map(({ path, reason }) => `not archived: ${printable(path)} (${reason})`)),
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
