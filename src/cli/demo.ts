import { Command } from "commander";
import { App, type CreatedBackup, type DryRunResult, type RestoredBackup, type RunResult } from "../app.ts";
import { SyncError, throwIfAborted } from "../core/errors.ts";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import type { CommandLine, CommonFlags } from "./command-line.ts";
import { withHelp } from "./help.ts";
import { LOST_ASSET, writeDemoWorkspace } from "./demo-workspace.ts";
import { formatBytes, formatCount } from "./format.ts";
import { addressOf } from "./serve.ts";
import { generatePassphrase } from "./vault/generate-passphrase.ts";

const STOP_GRACE_MS = 9_000;

const MIRROR = { service: "local" };

type Route = "sync/dry_run" | "sync/run" | "backup/create" | "backup/restore";

interface DemoFlags extends CommonFlags {
  readonly once?: boolean;
}

interface DemoFolders {
  readonly root: string;
  readonly mirror: string;
}

/** `demo`: the whole way of a mirror and of a backup, with nothing but this machine. */
export function demoCommand(cli: CommandLine): Command {
  const command = new Command("demo")
    .summary("see a mirror and a backup at work; no account")
    .description("show a mirror and a backup at work in a temporary workspace: no account, nothing left behind")
    .option("--once", "end after the last step instead of serving on until Ctrl-C");
  withHelp(command, {
    words: `
A vault, a dry run, a run, a second dry run with nothing to do, a backup and a
restore, each with its result. It takes a few seconds.`,
    examples: [
      ["see it once and get your prompt back", "comfyvn-sync demo --once"],
      ["look around in it: a server stays up until Ctrl-C", "comfyvn-sync demo"],
    ],
  });
  return cli.action(command, async (called) => {
    const flags = called.optsWithGlobals<DemoFlags>();
    if (flags.root !== undefined) cli.note("the demo makes a temporary workspace of its own; --root is not used");
    const { files } = cli.platform;
    cli.whenStopped = "the demo's folders are removed";
    const root = await files.makeTempFolder("comfyvn-demo-workspace-");
    const mirror = await files.makeTempFolder("comfyvn-demo-mirror-");
    try {
      await demo(cli, { root, mirror }, flags.once === true);
    } finally {
      await files.removeTree(root);
      await files.removeTree(mirror);
    }
  });
}

async function demo(cli: CommandLine, { root, mirror }: DemoFolders, once: boolean): Promise<void> {
  const { platform } = cli;
  await writeDemoWorkspace(platform.files, root, mirror);
  await cli.print(`workspace  ${root}, filled with sample assets\nmirror     ${mirror}, on the local provider`);
  const passphrase = generatePassphrase();
  const app = await App.open({ platform, root, passphrase: () => passphrase, complain: (line) => cli.note(line) });
  try {
    await showVault(cli, app, passphrase);
    const { startServer } = await import("../server/server.ts");
    const server = await startServer(app, { host: "127.0.0.1", port: 0, token: undefined });
    try {
      await cli.print(`server     ${addressOf(server)}`);
      await showMirror(cli, addressOf(server));
      await showBackup(cli, addressOf(server), root);
      if (once) return;
      const terminated = platform.terminated();
      throwIfAborted(cli.signal);
      cli.note("Ctrl-C ends the demo and removes both folders");
      await cli.print(`listening on ${addressOf(server)}`);
      await terminated;
    } finally {
      await server.stop(STOP_GRACE_MS);
    }
  } finally {
    app.close();
  }
}

/** The local provider needs no credentials; the vault shows what it does with those of others. */
async function showVault(cli: CommandLine, app: App, passphrase: string): Promise<void> {
  await app.vault.create(
    { cloud_sync: { s3: { bucket: "demo", aws_secret_access_key: "not a real one" } } },
    passphrase,
  );
  const { keys = [] } = await app.vault.describe(passphrase);
  if (keys.length !== 2) throw unexpected("vault", "two values", `${keys.length}`);
  const shown = keys.map(({ path, masked }) => `${path} = ${masked}`).join(", ");
  await cli.print(`vault      created, its passphrase generated for this demo and in memory only; holds ${shown}`);
}

async function showMirror(cli: CommandLine, base: string): Promise<void> {
  const first = await post<DryRunResult>(cli, base, "sync/dry_run", MIRROR);
  const files = first.manifest.entries;
  const size = formatBytes(first.plan.bytes_to_upload);
  await cli.print(`dry run    ${first.plan.files_to_upload} uploads = ${formatCount(files, "file")}, ${size}`);
  if (files === 0 || first.plan.files_to_upload !== files || first.plan.files_to_delete !== 0) {
    throw unexpected("dry run", `${files} uploads, 0 deletes`, changesOf(first));
  }
  const { summary } = await post<RunResult>(cli, base, "sync/run", MIRROR);
  await cli.print(
    `run        ${summary.status}: ${formatCount(summary.uploads.length, "file")} uploaded, ${formatBytes(summary.bytes_uploaded)}`,
  );
  if (summary.status !== "ok" || summary.uploads.length !== files) {
    throw unexpected("run", `ok, ${files} uploads`, `${summary.status}, ${summary.uploads.length} uploads`);
  }
  const second = await post<DryRunResult>(cli, base, "sync/dry_run", MIRROR);
  await cli.print(`dry run    ${changesOf(second)}: ${formatCount(second.plan.files_unchanged, "file")} unchanged`);
  if (changesOf(second) !== "0 uploads, 0 deletes" || second.plan.files_unchanged !== files) {
    throw unexpected("second dry run", `0 uploads, 0 deletes, ${files} unchanged`, changesOf(second));
  }
}

/** Archives the assets, loses one, and brings it back. */
async function showBackup(cli: CommandLine, base: string, root: string): Promise<void> {
  const backup = await post<CreatedBackup>(cli, base, "backup/create", { label: "demo" });
  const content = `${formatCount(backup.files, "file")}, ${formatBytes(backup.content_bytes)}`;
  await cli.print(`backup     ${backup.path}: ${content}`);
  const { files } = cli.platform;
  const lost = LOST_ASSET.split("/");
  if (!(await files.remove(files.join(root, ...lost)))) throw unexpected("backup", `a file ${LOST_ASSET}`, "none");
  const request = { name: backup.name };
  const { restored, skipped } = await post<RestoredBackup>(cli, base, "backup/restore", request);
  await cli.print(`restore    ${restored.join(", ")} was deleted and is back; ${skipped.length} others were there`);
  if (restored.join() !== LOST_ASSET || skipped.length !== backup.files - 1) {
    throw unexpected("restore", LOST_ASSET, restored.join(", "));
  }
}

function changesOf({ plan }: DryRunResult): string {
  return `${plan.files_to_upload} uploads, ${plan.files_to_delete} deletes`;
}

/** Asks the demo's own server. @throws SyncError `internal` for any answer but 200 */
async function post<Result>(cli: CommandLine, base: string, route: Route, body: JsonObject): Promise<Result> {
  const response = await fetch(`${base}/api/${route}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: cli.signal,
  });
  const answer: unknown = await response.json();
  if (response.ok) return answer as Result;
  const detail = isJsonObject(answer) && typeof answer["detail"] === "string" ? answer["detail"] : "no reason given";
  throw unexpected(`POST /api/${route}`, "status 200", `${response.status}: ${detail}`);
}

function unexpected(step: string, expected: string, found: string): SyncError {
  return new SyncError(
    "internal",
    `the demo's ${step} did not give what it should: expected ${expected}, got ${found}`,
  );
}
