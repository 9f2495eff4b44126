import { describe, expect, test } from "bun:test";
import { cliWorkspace } from "./cli-process.ts";

const workspace = cliWorkspace();
const SECRET = "hunter2-hunter2";

/** Every command that does something. */
const COMMANDS = [
  "init",
  "serve",
  "demo",
  "manifest",
  "plan",
  "run",
  "backup create",
  "backup list",
  "backup verify",
  "backup restore",
  "vault init",
  "vault show",
  "vault get",
  "vault set",
  "vault unset",
  "vault edit",
  "vault rekey",
  "vault backups",
  "vault restore",
  "vault import",
  "vault export",
  "flags list",
  "flags enable",
  "flags disable",
  "hooks list",
  "hooks tail",
  "provider verify",
  "completion",
];

describe("wrong usage ends with status 2 and one line on stderr", () => {
  const wrong: readonly (readonly [hazard: string, args: string, said: string])[] = [
    ["an unknown command", "serv", "unknown command 'serv'; did you mean serve?"],
    ["an unknown command of a group", "vault shwo", "unknown command 'shwo'; did you mean show?"],
    ["an unknown flag", "plan --service local --snapshto x", "unknown option --snapshto; did you mean --snapshot?"],
    ["an unknown flag of a server", "serve --prot 1", "unknown option --prot; did you mean --port?"],
    ["a flag of another command", "manifest --confirm-deletes", "unknown option --confirm-deletes"],
    ["a missing argument", "vault get", "missing required argument 'path'"],
    ["a missing flag", "plan", "required option '--service <service>' not specified"],
    ["a flag without its value", "plan --service", "option '--service <service>' argument missing"],
    ["an unknown service", "run --service ftp", "Allowed choices are s3, gdrive, local."],
    ["an unknown flag of the workspace", "flags enable sync", "Allowed choices are"],
    ["too many arguments", "vault init here", "too many arguments for init: it takes 0"],
    ["a port that is none", "serve --port 99999", "a port is a number from 0 to 65535"],
    ["an empty root, as an unset variable leaves it", "manifest --root=", "--root is empty"],
    ["an index that is none", "vault restore newest", "the index of a backup is a number"],
    ["an export that does not say where to", "vault export", "say where to, either a FILE, or - for stdout"],
    ["an export to two places", "vault export one --output two", "say where to, either a FILE, or - for stdout"],
  ];
  for (const [hazard, args, said] of wrong) {
    test.concurrent(hazard, async () => {
      const { status, stdout, stderr } = await workspace.call(args.split(" "));
      expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
      expect(stderr).toMatch(/^error: [^\n]* \[usage\]\n$/);
      expect(stderr).toContain(said);
    });
  }
});

describe("a secret at the wrong place is not repeated", () => {
  const misplaced: readonly (readonly string[])[] = [
    ["vault", "set", "cloud_sync.s3.aws_secret_access_key", SECRET],
    ["vault", "set", `cloud_sync.s3.aws_secret_access_key=${SECRET}`],
    ["vault", "set", "a", `--value=${SECRET}`],
    ["vault", "show", `--passphrase=${SECRET}`],
    ["vault", "show", `-p${SECRET}`],
    ["plan", "--service", "local", `--secret-key=${SECRET}`],
  ];
  for (const args of misplaced) {
    test.concurrent(args.join(" ").replace(SECRET, "…"), async () => {
      const { status, stdout, stderr } = await workspace.call(args);
      expect(status).toBe(2);
      expect(stdout + stderr).not.toContain("hunter2");
      expect(stderr).toContain("[usage]");
    });
  }

  test("the user of --passphrase learns how it is done", async () => {
    const { stderr } = await workspace.call(["vault", "show", "--passphrase", SECRET]);
    expect(stderr).toContain("--passphrase-file");
    expect(stderr).not.toContain("hunter2");
  });
});

test("without a command the help goes to stderr, for stdout may be somebody's input", async () => {
  const { status, stdout, stderr } = await workspace.call([]);
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toContain("Usage: comfyvn-sync");
  expect(stderr).toEndWith("error: name a command; --help lists them [usage]\n");
});

describe("--help of every command tells what it takes, --root included", () => {
  for (const command of COMMANDS) {
    test.concurrent(command, async () => {
      const { status, stdout, stderr } = await workspace.call([...command.split(" "), "--help"]);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(stdout).toStartWith(`Usage: comfyvn-sync ${command}`);
      expect(stdout).toContain("--root <folder>");
    });
  }
});

test("--root counts before the command and after it", async () => {
  const missing = `${workspace.other}/missing`;
  for (const args of [
    ["--root", missing, "flags", "list"],
    ["flags", "list", "--root", missing],
  ]) {
    const { status, stderr } = await workspace.call(args);
    expect(status).toBe(1);
    expect(stderr).toContain(`${missing} is not a folder`);
    expect(stderr).toContain("[root_missing]");
  }
});

test("COMFYVN_ROOT names the workspace, and --root wins over it", async () => {
  const env = { COMFYVN_ROOT: `${workspace.other}/missing` };
  expect((await workspace.call(["flags", "list"], { env })).status).toBe(1);
  expect((await workspace.call(["flags", "list", "--root", workspace.root], { env })).status).toBe(0);
});
