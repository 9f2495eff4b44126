import { describe, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { type CliWorkspace, cliWorkspace, PASSPHRASE } from "./cli-process.ts";

interface Mishap {
  readonly hazard: string;
  readonly args: readonly string[];
  readonly status: number;
  /** What the line tells to do. */
  readonly advice: string;
  readonly code: string;
  readonly prepare?: (workspace: CliWorkspace) => void;
  readonly env?: Readonly<Record<string, string>>;
}

const WRONG = { COMFYVN_SECRETS_KEY: "wrong" };
const RIGHT = { COMFYVN_SECRETS_KEY: PASSPHRASE };
const NAME = "20200101T000000Z.zip";

/** A file stands where the product keeps `folder`. */
const blocked = (folder: string) => (workspace: CliWorkspace) => {
  rmSync(join(workspace.root, folder), { recursive: true, force: true });
  workspace.write(folder, "");
};

/** Each as a user meets it; one workspace for each, with a vault and one asset. */
const MISHAPS: readonly Mishap[] = [
  {
    hazard: "a wrong passphrase",
    args: ["vault", "show"],
    env: WRONG,
    status: 1,
    advice: "passphrase",
    code: "vault_wrong_passphrase",
  },
  { hazard: "no passphrase", args: ["vault", "show"], status: 1, advice: "--passphrase-file", code: "vault_locked" },
  {
    hazard: "a passphrase file that is not there",
    args: ["vault", "show", "--passphrase-file", "key"],
    status: 1,
    advice: "does not exist",
    code: "file_missing",
  },
  {
    hazard: "a workspace that is not there",
    args: ["plan", "--service", "local", "--root", "nowhere"],
    status: 1,
    advice: "--root or COMFYVN_ROOT",
    code: "root_missing",
  },
  {
    hazard: "a backup that is not there",
    args: ["backup", "verify", NAME],
    status: 1,
    advice: "backup",
    code: "backup_missing",
  },
  {
    hazard: "a backup to restore that is not there",
    args: ["backup", "restore", NAME],
    status: 1,
    advice: "backup",
    code: "backup_missing",
  },
  {
    hazard: "a name that is no backup's",
    args: ["backup", "restore", "../x.zip"],
    status: 1,
    advice: "backup",
    code: "backup_name",
  },
  {
    hazard: "a destination that is not mounted",
    args: ["run", "--service", "local"],
    status: 1,
    advice: "mount the disk",
    code: "provider_container_missing",
  },
  {
    hazard: "a file to import that is not there",
    args: ["vault", "import", "secrets.json"],
    env: RIGHT,
    status: 1,
    advice: "does not exist",
    code: "file_missing",
  },
  {
    hazard: "a place that nobody may write to",
    args: ["vault", "export", "--output", "/sys/secrets.json"],
    env: RIGHT,
    status: 1,
    advice: "cannot be written",
    code: "write_failed",
  },
  {
    hazard: "a file where the backups' folder should be",
    args: ["backup", "create"],
    prepare: blocked("backups"),
    status: 1,
    advice: "a file stands where a folder is needed",
    code: "write_failed",
  },
  {
    hazard: "an unknown flag",
    args: ["run", "--service", "local", "--dryrun"],
    status: 2,
    advice: "--help lists the options",
    code: "usage",
  },
  {
    hazard: "a command that is spelled wrong",
    args: ["bakup", "list"],
    status: 2,
    advice: "did you mean backup?",
    code: "usage",
  },
  {
    hazard: "a port that is no number",
    args: ["serve", "--port", "http"],
    status: 2,
    advice: "0 takes any free one",
    code: "usage",
  },
];

describe("each of these is one clear line with what to do, and nothing on stdout:", () => {
  for (const { hazard, args, status, advice, code, prepare, env = {} } of MISHAPS) {
    test(hazard, async () => {
      const workspace = cliWorkspace();
      const features = { enable_cloud_sync: true, enable_cloud_sync_local: true };
      const sync = { local: { path: join(workspace.other, "not-mounted") } };
      workspace.write("config/comfyvn.json", JSON.stringify({ features, sync }));
      workspace.write("assets/a.txt", "a");
      await workspace.unlocked(["vault", "import", "-"], { stdin: '{"a": "canary-of-the-vault"}' });
      prepare?.(workspace);
      const result = await workspace.call(args, { env });
      expect({ status: result.status, stdout: result.stdout }).toEqual({ status, stdout: "" });
      expect(result.stderr).toMatch(new RegExp(`^error: [^\\n]+ \\[${code}\\]\\n$`));
      expect(result.stderr).toContain(advice);
      expect(result.stderr).not.toContain("canary");
    });
  }
});
