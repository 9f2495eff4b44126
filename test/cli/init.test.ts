import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { startS3Server } from "../services/s3-server.ts";
import { type CliWorkspace, cliWorkspace, PASSPHRASE } from "./cli-process.ts";
import { CTRL_C, ENTER, onTerminal } from "./on-terminal.ts";

const MAIN = resolve(import.meta.dir, "../../src/main.ts");
const CONFIG = "config/comfyvn.json";
const VAULT = "config/comfyvn.secrets.json";

const server = await startS3Server();
afterAll(() => server.stop());

function studio(): CliWorkspace {
  const workspace = cliWorkspace();
  workspace.write("assets/title.txt", "title");
  return workspace;
}

const read = ({ root }: CliWorkspace, path: string) => readFileSync(join(root, path), "utf8");

async function entry(workspace: CliWorkspace, service: string): Promise<Record<string, unknown>> {
  const { stdout } = await workspace.unlocked(["vault", "get", `cloud_sync.${service}`]);
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe("init by flags: a folder", () => {
  test("ends with the first dry run, and a run works at once", async () => {
    const workspace = studio();
    const { status, stdout, stderr } = await workspace.call(["init", "--service", "local", "--folder", "../other"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain("uploads    2 files");
    expect(existsSync(join(workspace.root, VAULT))).toBe(false);
    expect((await workspace.call(["run", "--service", "local"])).status).toBe(0);
    expect(existsSync(join(workspace.other, "default/assets/title.txt"))).toBe(true);
  });

  test("again changes only what was asked, keeps the studio's own sections and its formatting", async () => {
    const workspace = studio();
    const before = '{\n\t"studio": {"engine": "renpy", "né": [1,2 ,3]},\n\t"features": {"other": true}\n}\n';
    workspace.write(CONFIG, before);
    await workspace.call(["init", "--service", "local", "--folder", workspace.other, "--no-dry-run"]);
    const first = read(workspace, CONFIG);
    expect(first).toContain('\t"studio": {"engine": "renpy", "né": [1,2 ,3]},\n');
    expect(JSON.parse(first)).toMatchObject({ features: { other: true, enable_cloud_sync_local: true } });
    // Nothing given but the service: the folder stays.
    const again = await workspace.call(["init", "--service", "local", "--no-dry-run", "--json"]);
    expect(JSON.parse(again.stdout)).toEqual({
      service: "local",
      vault: "not needed",
      config: "unchanged",
      dry_run: null,
    });
    expect(read(workspace, CONFIG)).toBe(first);
  });

  const refused: readonly (readonly [hazard: string, folder: string, status: number, said: string])[] = [
    ["that is not there", "../missing", 1, "mount the disk or make the folder"],
    ["inside the workspace", "assets", 2, "mirrored into itself"],
    ["that is the workspace", ".", 2, "mirrored into itself"],
    ["that is a file", "assets/title.txt", 1, "is not a folder"],
  ];
  for (const [hazard, folder, expected, said] of refused) {
    test(`${hazard} is refused, and nothing is changed`, async () => {
      const workspace = studio();
      const { status, stderr } = await workspace.call(["init", "--service", "local", "--folder", folder]);
      expect(status).toBe(expected);
      expect(stderr).toContain(said);
      expect(existsSync(join(workspace.root, CONFIG))).toBe(false);
    });
  }

  test("overruled by comfyvn.json at the root is said to be so", async () => {
    const workspace = studio();
    workspace.write("comfyvn.json", '{"features": {"enable_cloud_sync_local": false}}');
    const { status, stderr } = await workspace.call(["init", "--service", "local", "--folder", workspace.other]);
    expect(status).toBe(1);
    expect(stderr).toContain("comfyvn.json at the workspace's root says otherwise");
  });

  test("leaves a config file alone whose characters it cannot read", async () => {
    const workspace = studio();
    const latin = Uint8Array.from(Buffer.from('{"studio": "caf\u00e9"}', "latin1"));
    workspace.write(CONFIG, latin);
    const { status, stderr } = await workspace.call(["init", "--service", "local", "--folder", workspace.other]);
    expect(status).toBe(1);
    expect(stderr).toContain("not valid UTF-8");
    expect(new Uint8Array(readFileSync(join(workspace.root, CONFIG)))).toEqual(latin);
  });
});

describe("init by flags: a bucket", () => {
  let buckets = 0;

  function s3Flags() {
    const bucket = `init-${++buckets}`;
    server.createBucket(bucket);
    const settings = server.settingsFor(bucket) as Record<string, string>;
    const keys = {
      aws_access_key_id: settings["aws_access_key_id"] ?? "",
      aws_secret_access_key: settings["aws_secret_access_key"] ?? "",
    };
    const flags = ["init", "--service", "s3", "--bucket", bucket, "--endpoint-url", settings["endpoint_url"] ?? ""];
    return { bucket, settings, keys, flags };
  }

  test("makes the vault, keeps the keys in it, and the dry run reads the bucket", async () => {
    const workspace = studio();
    const { flags, keys } = s3Flags();
    const args = [...flags, "--prefix", "dev", "--credentials-file", "-"];
    const result = await workspace.unlocked(args, { stdin: JSON.stringify(keys) });
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(result.stdout).toContain("vault   created");
    expect(result.stdout).toContain("uploads    2 files");
    expect(result.stdout + read(workspace, "logs/server.log")).not.toContain(keys.aws_secret_access_key);
    expect(await entry(workspace, "s3")).toMatchObject({ ...keys, prefix: "dev", region: "us-east-1" });
    expect((await workspace.unlocked(["run", "--service", "s3"])).status).toBe(0);
  });

  test("again changes the one answer that was given; keys and unknown settings stay", async () => {
    const workspace = studio();
    const { flags, keys } = s3Flags();
    const payload = { other: 1, cloud_sync: { s3: { ...keys, bucket: "old", region: "eu-1", sse: "AES256" } } };
    await workspace.unlocked(["vault", "import", "-"], { stdin: JSON.stringify(payload) });
    const result = await workspace.unlocked([...flags, "--no-dry-run", "--json"]);
    expect(JSON.parse(result.stdout)).toMatchObject({ vault: "changed", config: "changed" });
    const kept = await entry(workspace, "s3");
    expect(kept).toMatchObject({ ...keys, bucket: flags[4], region: "eu-1", sse: "AES256" });
    expect((await workspace.unlocked(["vault", "get", "other"])).stdout).toBe("1\n");
    const again = await workspace.unlocked([...flags, "--no-dry-run", "--json"]);
    expect(JSON.parse(again.stdout)).toMatchObject({ vault: "unchanged", config: "unchanged" });
  });

  test("a dry run that cannot read the bucket keeps the settings and ends with status 3", async () => {
    const workspace = studio();
    const { flags, keys } = s3Flags();
    const env = { AWS_ACCESS_KEY_ID: "AKIAWRONG", AWS_SECRET_ACCESS_KEY: keys.aws_secret_access_key };
    const result = await workspace.unlocked([...flags, "--credentials-from-env"], { env });
    expect(result.status).toBe(3);
    expect(result.stderr).toStartWith("warning: the destination could not be read");
    expect(await entry(workspace, "s3")).toMatchObject({ aws_access_key_id: "AKIAWRONG" });
  });

  const forms: readonly (readonly [form: string, text: (id: string, secret: string) => string])[] = [
    ["Amazon's CSV", (id, secret) => `\uFEFFAccess key ID,Secret access key\r\n${id},${secret}\r\n`],
    [
      "an AWS credentials file",
      (id, secret) =>
        `[default]\naws_access_key_id = ${id}\naws_secret_access_key=${secret}\n[b]\naws_access_key_id=no\n`,
    ],
    ["an .env file", (id, secret) => `export AWS_ACCESS_KEY_ID="${id}"\nAWS_SECRET_ACCESS_KEY='${secret}'\n`],
  ];
  for (const [form, text] of forms) {
    test(`keys come from ${form} too`, async () => {
      const workspace = studio();
      const file = join(workspace.other, "keys");
      writeFileSync(file, text("AKIA1", "abc/def+gh=="));
      const args = ["init", "--service", "s3", "--bucket", "studio", "--credentials-file", file, "--no-dry-run"];
      expect((await workspace.unlocked(args)).status).toBe(0);
      expect(await entry(workspace, "s3")).toMatchObject({
        aws_access_key_id: "AKIA1",
        aws_secret_access_key: "abc/def+gh==",
      });
    });
  }

  test("with --generate the passphrase goes into a file, and the set-up uses it", async () => {
    const workspace = studio();
    const { flags, keys } = s3Flags();
    const file = join(workspace.other, "studio.key");
    const args = [...flags, "--credentials-file", "-", "--generate", "--passphrase-file", file];
    const result = await workspace.call(args, { stdin: JSON.stringify(keys) });
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect((await workspace.call(["vault", "show", "--passphrase-file", file])).status).toBe(0);
  });
});

describe("init where nobody can be asked", () => {
  const missing: readonly (readonly [what: string, args: readonly string[], flag: string])[] = [
    ["the service", [], "--service"],
    ["the folder", ["--service", "local"], "--folder"],
    ["the bucket", ["--service", "s3"], "--bucket"],
    ["the keys", ["--service", "s3", "--bucket", "studio"], "--credentials-file"],
    ["the Drive folder", ["--service", "gdrive"], "--parent-id"],
    ["the service account", ["--service", "gdrive", "--parent-id", "x"], "--credentials-file"],
  ];
  for (const [what, args, flag] of missing) {
    test(`names the flag for ${what}, and leaves nothing behind`, async () => {
      const workspace = studio();
      const { status, stdout, stderr } = await workspace.unlocked(["init", ...args]);
      expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
      expect(stderr).toMatch(/^error: nobody can be asked here[^\n]+\[usage\]\n$/);
      expect(stderr).toContain(flag);
      expect(existsSync(join(workspace.root, "config"))).toBe(false);
    });
  }

  test("a flag of another service is refused, since it would do nothing", async () => {
    const { status, stderr } = await studio().call(["init", "--service", "local", "--bucket", "studio"]);
    expect(status).toBe(2);
    expect(stderr).toContain("--bucket does not go with --service local");
  });

  test("a wrong passphrase changes nothing", async () => {
    const workspace = studio();
    await workspace.unlocked(["vault", "init"]);
    const before = read(workspace, VAULT);
    const args = ["init", "--service", "s3", "--bucket", "studio", "--credentials-from-env"];
    const { status, stderr } = await workspace.call(args, { env: { COMFYVN_SECRETS_KEY: "wrong" } });
    expect(status).toBe(1);
    expect(stderr).toContain("[vault_wrong_passphrase]");
    expect(read(workspace, VAULT)).toBe(before);
    expect(existsSync(join(workspace.root, CONFIG))).toBe(false);
  });

  test("Drive: an address from the browser is taken for its id", async () => {
    const workspace = studio();
    const key = { client_email: "a@b.example", private_key: "-----BEGIN PRIVATE KEY-----", type: "service_account" };
    const url = "https://drive.google.com/drive/u/0/folders/1AbC-d_E?usp=sharing";
    const args = ["init", "--service", "gdrive", "--parent-id", url, "--credentials-file", "-", "--no-dry-run"];
    const result = await workspace.unlocked(args, { stdin: JSON.stringify(key) });
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(await entry(workspace, "gdrive")).toEqual({ parent_id: "1AbC-d_E", scopes: "drive", credentials: key });
  });

  test("Drive: a key under its other name counts, until another is given", async () => {
    const workspace = studio();
    const [old, fresh] = ["old", "new"].map((email) => ({ client_email: `${email}@b.example`, private_key: "k" }));
    await workspace.unlocked(["vault", "init", "--json"]);
    const set = ["vault", "set", "cloud_sync.gdrive", "--json-value"];
    await workspace.unlocked(set, { stdin: JSON.stringify({ service_account: old }) });
    const args = ["init", "--service", "gdrive", "--no-dry-run", "--parent-id", "1AbC"];
    expect(await workspace.unlocked(args)).toMatchObject({ status: 0, stderr: "" });
    expect(await entry(workspace, "gdrive")).toMatchObject({ parent_id: "1AbC", service_account: old });
    await workspace.unlocked([...args, "--credentials-file", "-"], { stdin: JSON.stringify(fresh) });
    expect(await entry(workspace, "gdrive")).toEqual({ parent_id: "1AbC", scopes: "drive", credentials: fresh });
  });
});

describe("init on a terminal", () => {
  test("asks question by question, and Enter keeps what was set up before", async () => {
    const workspace = studio();
    const first = await onTerminal(
      workspace.root,
      ["init"],
      [
        { question: "Where should the workspace be mirrored to?", keys: ENTER },
        { question: "Which folder?", keys: `${workspace.other}${ENTER}` },
      ],
    );
    expect(first).toMatchObject({ status: 0, unasked: 0 });
    expect(first.screen).toContain("next: comfyvn-sync run --service local");
    const config = read(workspace, CONFIG);
    const answers = [
      { question: "Where should the workspace be mirrored to?", keys: ENTER },
      { question: "Which folder?", keys: ENTER },
    ];
    expect(await onTerminal(workspace.root, ["init"], answers)).toMatchObject({ status: 0, unasked: 0 });
    expect(read(workspace, CONFIG)).toBe(config);
  });

  test("keys are typed unseen, and the generated passphrase is shown once", async () => {
    const workspace = studio();
    const { root } = workspace;
    const result = await onTerminal(
      root,
      ["init", "--service", "s3", "--bucket", "studio", "--endpoint-url", "http://127.0.0.1:1", "--no-dry-run"],
      [
        { question: "Which region?", keys: ENTER },
        { question: "A folder inside it", keys: ENTER },
        { question: "Access key id", keys: `AKIATYPED${ENTER}` },
        { question: "Secret access key", keys: `typed-secret${ENTER}` },
        { question: "Which passphrase should open it?", keys: ENTER },
      ],
    );
    expect(result).toMatchObject({ status: 0, unasked: 0 });
    expect(result.screen).not.toContain("typed-secret");
    expect(result.screen).not.toContain("AKIATYPED");
    const passphrase = /shown this once: (\S+)/.exec(result.screen)?.[1] ?? "";
    const get = ["vault", "get", "cloud_sync.s3.aws_secret_access_key"];
    const { stdout } = await workspace.call(get, { env: { COMFYVN_SECRETS_KEY: passphrase } });
    expect(stdout).toBe("typed-secret\n");
  });

  test("what another process puts into the vault while the questions are asked stays", async () => {
    const workspace = studio();
    const env = { AWS_ACCESS_KEY_ID: "AKIA", AWS_SECRET_ACCESS_KEY: "x", COMFYVN_SECRETS_KEY: PASSPHRASE };
    const args = ["init", "--service", "s3", "--bucket", "studio", "--endpoint-url", "http://127.0.0.1:1"];
    const made = await workspace.call([...args, "--credentials-from-env", "--no-dry-run", "--prefix", "p"], { env });
    expect(made.status).toBe(0);
    const meanwhile = (path: string) => ["vault", "set", path];
    const answers = [
      {
        question: "Which bucket?",
        get keys() {
          for (const path of ["cloud_sync.s3.profile", "other.tool"]) {
            const { exitCode } = Bun.spawnSync([process.execPath, MAIN, ...meanwhile(path)], {
              cwd: workspace.root,
              env: { PATH: "/usr/bin:/bin", COMFYVN_SECRETS_KEY: PASSPHRASE },
              stdin: Buffer.from("theirs"),
            });
            expect(exitCode).toBe(0);
          }
          return ENTER;
        },
      },
      { question: "Address of the store?", keys: ENTER },
      { question: "Which region?", keys: `eu${ENTER}` },
      { question: "A folder inside it", keys: ENTER },
      { question: "Replace them?", keys: ENTER },
    ];
    const options = { env: { COMFYVN_SECRETS_KEY: PASSPHRASE } };
    const ended = await onTerminal(workspace.root, ["init", "--service", "s3", "--no-dry-run"], answers, options);
    expect(ended).toMatchObject({ status: 0, unasked: 0 });
    expect(await entry(workspace, "s3")).toMatchObject({
      bucket: "studio",
      prefix: "p",
      region: "eu",
      profile: "theirs",
    });
    expect((await workspace.unlocked(["vault", "get", "other.tool"])).stdout).toBe("theirs\n");
  });

  test("Ctrl-C at a question ends with 130 and leaves nothing behind", async () => {
    const workspace = studio();
    const answers = [{ question: "Which bucket?", keys: CTRL_C }];
    const result = await onTerminal(workspace.root, ["init", "--service", "s3"], answers);
    expect(result).toMatchObject({ status: 130, unasked: 0 });
    expect(result.screen).toEndWith(" nothing was changed [aborted]\n");
    expect(existsSync(join(workspace.root, "config"))).toBe(false);
  });

  test("a passphrase of one's own is asked for twice", async () => {
    const workspace = studio();
    const env = { AWS_ACCESS_KEY_ID: "AKIA", AWS_SECRET_ACCESS_KEY: "x" };
    const args = ["init", "--service", "s3", "--bucket", "studio", "--endpoint-url", "http://127.0.0.1:1"];
    const result = await onTerminal(
      workspace.root,
      [...args, "--region", "r", "--prefix", "p", "--credentials-from-env", "--no-dry-run"],
      [
        { question: "Which passphrase should open it?", keys: `\u001b[B${ENTER}` },
        { question: "passphrase for the new vault: ", keys: `${PASSPHRASE}${ENTER}` },
        { question: "the same again: ", keys: `${PASSPHRASE}${ENTER}` },
      ],
      { env },
    );
    expect(result).toMatchObject({ status: 0, unasked: 0 });
    expect(await entry(workspace, "s3")).toMatchObject({ prefix: "p", region: "r" });
  });
});

test("flags enable keeps a byte order mark, line ends, order and unknown sections", async () => {
  const workspace = studio();
  mkdirSync(join(workspace.root, "config"), { recursive: true });
  const before = '\uFEFF{\r\n    "zeta": {"a":1},\r\n    "features": {\r\n        "x": 1\r\n    }\r\n}\r\n';
  workspace.write(CONFIG, before);
  expect((await workspace.call(["flags", "enable", "enable_cloud_sync"])).status).toBe(0);
  const after = read(workspace, CONFIG);
  expect(after).toStartWith(
    '\uFEFF{\r\n    "zeta": {"a":1},\r\n    "features": {\r\n        "x": 1,\r\n        "enable_cloud_sync": true',
  );
  rmSync(join(workspace.root, CONFIG));
});
