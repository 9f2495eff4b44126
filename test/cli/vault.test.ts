import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CliWorkspace, cliWorkspace, PASSPHRASE } from "./cli-process.ts";
import { onTerminal } from "./on-terminal.ts";

const VAULT = "config/comfyvn.secrets.json";
const SECRET = "s3cr3t-value-of-the-tests";

async function withVault(payload: unknown = {}): Promise<CliWorkspace> {
  const workspace = cliWorkspace();
  const { status, stderr } = await workspace.unlocked(["vault", "import", "-"], { stdin: JSON.stringify(payload) });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return workspace;
}

function vaultBytes(workspace: CliWorkspace): string {
  return readFileSync(join(workspace.root, VAULT), "utf8");
}

async function payloadOf(workspace: CliWorkspace, key = PASSPHRASE): Promise<unknown> {
  const env = { COMFYVN_SECRETS_KEY: key };
  const { status, stdout } = await workspace.call(["vault", "export", "--reveal"], { env });
  return status === 0 ? JSON.parse(stdout) : `status ${status}`;
}

describe("init", () => {
  test("makes an empty vault under the passphrase of the environment", async () => {
    const workspace = cliWorkspace();
    const { status, stdout, stderr } = await workspace.unlocked(["vault", "init"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain(VAULT);
    expect(await payloadOf(workspace)).toEqual({});
  });

  test("leaves an existing vault alone", async () => {
    const workspace = await withVault({ a: SECRET });
    const before = vaultBytes(workspace);
    const { status, stderr } = await workspace.unlocked(["vault", "init"]);
    expect(status).toBe(1);
    expect(stderr).toContain("[vault_exists]");
    expect(vaultBytes(workspace)).toBe(before);
  });

  test("without any passphrase says where one may come from, and makes nothing", async () => {
    const workspace = cliWorkspace();
    const { status, stderr } = await workspace.call(["vault", "init"]);
    expect(status).toBe(1);
    expect(stderr).toContain("COMFYVN_SECRETS_KEY");
    expect(existsSync(join(workspace.root, VAULT))).toBe(false);
  });

  test("--generate shows a strong passphrase once, on stderr, and it opens the vault", async () => {
    const workspace = cliWorkspace();
    const { status, stdout, stderr } = await workspace.call(["vault", "init", "--generate"]);
    expect(status).toBe(0);
    const passphrase = /^passphrase, shown this once: ([2-9a-z]{5}(?:-[2-9a-z]{5}){5})\n$/.exec(stderr)?.[1] ?? "";
    expect(stdout).not.toContain(passphrase);
    expect(await payloadOf(workspace, passphrase)).toEqual({});
  });

  test("--generate with --passphrase-file writes it there for the owner only, and shows it nowhere", async () => {
    const workspace = cliWorkspace();
    const file = join(workspace.other, "key");
    const { status, stdout, stderr } = await workspace.call(["vault", "init", "--generate", "--passphrase-file", file]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).not.toContain(readFileSync(file, "utf8").trim());
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await workspace.call(["vault", "show", "--passphrase-file", file])).status).toBe(0);
  });

  test("--generate never overwrites a file", async () => {
    const workspace = cliWorkspace();
    const file = join(workspace.other, "key");
    writeFileSync(file, "precious");
    const { status } = await workspace.call(["vault", "init", "--generate", "--passphrase-file", file]);
    expect(status).toBe(2);
    expect(readFileSync(file, "utf8")).toBe("precious");
    expect(existsSync(join(workspace.root, VAULT))).toBe(false);
  });
});

describe("the passphrase", () => {
  test("of a file or pipe wins over the environment, without its line end", async () => {
    const workspace = await withVault({ a: 1 });
    const file = join(workspace.other, "key");
    writeFileSync(file, `${PASSPHRASE}\r\n`);
    const env = { COMFYVN_SECRETS_KEY: "another" };
    const args = ["vault", "get", "a", "--passphrase-file"];
    expect(await workspace.call([...args, file], { env })).toEqual({ status: 0, stdout: "1\n", stderr: "" });
    const piped = await workspace.call([...args, "/dev/stdin"], { env, stdin: `${PASSPHRASE}\n` });
    expect(piped).toEqual({ status: 0, stdout: "1\n", stderr: "" });
  });

  test("when it is wrong opens nothing, changes nothing and is not repeated", async () => {
    const workspace = await withVault({ a: SECRET });
    const before = vaultBytes(workspace);
    const env = { COMFYVN_SECRETS_KEY: "wrong-passphrase" };
    for (const args of [["show"], ["get", "a"], ["set", "a"], ["unset", "a"], ["restore", "0"], ["import", "-"]]) {
      const { status, stdout, stderr } = await workspace.call(["vault", ...args], { env, stdin: "{}" });
      expect({ args, status, stdout }).toEqual({ args, status: 1, stdout: "" });
      expect(stderr).toMatch(/^error: [^\n]* \[(vault_wrong_passphrase|vault_backup_missing)\]\n$/);
      expect(stderr).not.toContain("wrong-passphrase");
    }
    expect(vaultBytes(workspace)).toBe(before);
  });

  test("when there is none, the vault stays locked and stdin is not taken for it", async () => {
    const workspace = await withVault({ a: SECRET });
    const { status, stdout, stderr } = await workspace.call(["vault", "show"], { stdin: PASSPHRASE });
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toContain("[vault_locked]");
    expect(stderr).toContain("--passphrase-file");
  });

  test("file that is missing or empty is said to be so", async () => {
    const workspace = await withVault();
    const file = join(workspace.other, "key");
    const missing = await workspace.unlocked(["vault", "show", "--passphrase-file", file]);
    expect(missing.status).toBe(1);
    expect(missing.stderr).toContain("[file_missing]");
    writeFileSync(file, "\n");
    const empty = await workspace.unlocked(["vault", "show", "--passphrase-file", file]);
    expect(empty.status).toBe(1);
    expect(empty.stderr).toContain("holds no passphrase");
  });
});

test("commands on a vault that is not there name the one that makes it", async () => {
  const workspace = cliWorkspace();
  for (const args of [["show"], ["get", "a"], ["set", "a"], ["unset", "a"], ["rekey"], ["backups"], ["restore", "0"]]) {
    const { status, stderr } = await workspace.unlocked(["vault", ...args], { stdin: "x" });
    expect({ args, status }).toEqual({ args, status: 1 });
    expect(stderr).toContain("comfyvn-sync vault init");
  }
  expect(existsSync(join(workspace.root, VAULT))).toBe(false);
});

describe("set, get and unset", () => {
  test("a value comes from stdin without its line end and never appears again but by get", async () => {
    const workspace = await withVault();
    const path = "cloud_sync.s3.aws_secret_access_key";
    const set = await workspace.unlocked(["vault", "set", path], { stdin: `${SECRET}\n` });
    const shown = await workspace.unlocked(["vault", "show"]);
    expect([set.status, shown.status]).toEqual([0, 0]);
    expect(set.stdout + set.stderr + shown.stdout + shown.stderr).not.toContain(SECRET);
    expect(shown.stdout).toContain(`${path}  string  ********`);
    expect(await workspace.unlocked(["vault", "get", path])).toEqual({ status: 0, stdout: `${SECRET}\n`, stderr: "" });
    expect(readFileSync(join(workspace.root, "logs/server.log"), "utf8")).not.toContain(SECRET);
  });

  test("a value keeps its inner line ends and all but one at its end", async () => {
    const workspace = await withVault();
    await workspace.unlocked(["vault", "set", "key"], { stdin: " one\ntwo\n\n" });
    expect(await payloadOf(workspace)).toEqual({ key: " one\ntwo\n" });
  });

  test("--json-value keeps numbers and objects what they are", async () => {
    const workspace = await withVault();
    await workspace.unlocked(["vault", "set", "a.n", "--json-value"], { stdin: "5\n" });
    await workspace.unlocked(["vault", "set", "a.o", "--json-value"], { stdin: '{"x": [true, null, ""]}' });
    expect(await payloadOf(workspace)).toEqual({ a: { n: 5, o: { x: [true, null, ""] } } });
    const { stdout } = await workspace.unlocked(["vault", "get", "a.o"]);
    expect(JSON.parse(stdout)).toEqual({ x: [true, null, ""] });
  });

  test("what is not JSON is refused without a word of it", async () => {
    const workspace = await withVault({ a: 1 });
    const before = vaultBytes(workspace);
    const { status, stderr } = await workspace.unlocked(["vault", "set", "a", "--json-value"], { stdin: `{${SECRET}` });
    expect(status).toBe(1);
    expect(stderr).toContain("[bad_request]");
    expect(stderr).not.toContain(SECRET);
    expect(vaultBytes(workspace)).toBe(before);
  });

  test("a number that would be rounded is refused", async () => {
    const workspace = await withVault();
    for (const stdin of ["12345678901234567890", "1e999"]) {
      const { status, stderr } = await workspace.unlocked(["vault", "set", "a", "--json-value"], { stdin });
      expect({ stdin, status }).toEqual({ stdin, status: 1 });
      expect(stderr).toContain("too large to be kept exactly");
    }
  });

  test("an empty or closed stdin is wrong usage and sets nothing", async () => {
    const workspace = await withVault({ a: SECRET });
    for (const options of [{}, { stdin: "" }, { stdin: "\n" }]) {
      const { status, stderr } = await workspace.unlocked(["vault", "set", "a"], options);
      expect(status).toBe(2);
      expect(stderr).toContain("stdin held no value");
    }
    expect(await payloadOf(workspace)).toEqual({ a: SECRET });
  });

  test("the same value again writes nothing", async () => {
    const workspace = await withVault({ a: SECRET });
    const before = vaultBytes(workspace);
    const { status, stdout } = await workspace.unlocked(["vault", "set", "a"], { stdin: SECRET });
    expect(status).toBe(0);
    expect(stdout).toContain("unchanged");
    expect(vaultBytes(workspace)).toBe(before);
  });

  test("unset removes, and a path that leads nowhere is not taken for done", async () => {
    const workspace = await withVault({ a: { b: SECRET, c: 1 } });
    expect((await workspace.unlocked(["vault", "unset", "a.b"])).status).toBe(0);
    expect(await payloadOf(workspace)).toEqual({ a: { c: 1 } });
    const again = await workspace.unlocked(["vault", "unset", "a.b"]);
    expect(again.status).toBe(1);
    expect(again.stderr).toContain("[not_found]");
    expect((await workspace.unlocked(["vault", "get", "a.b"])).stderr).toContain("[not_found]");
  });
});

describe("show", () => {
  const payload = { cloud_sync: { s3: { bucket: "studio-nightly", aws_secret_access_key: SECRET } } };

  test("masks every value, those that are no secrets too, also as JSON", async () => {
    const workspace = await withVault(payload);
    const { stdout } = await workspace.unlocked(["vault", "show", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      version: 1,
      iterations: 390_000,
      keys: [
        { path: "cloud_sync.s3.bucket", type: "string", masked: "********" },
        { path: "cloud_sync.s3.aws_secret_access_key", type: "string", masked: "********" },
      ],
    });
    expect(stdout).not.toContain(SECRET);
    expect(stdout).not.toContain("studio-nightly");
  });

  test("shows them with --reveal", async () => {
    const workspace = await withVault(payload);
    expect((await workspace.unlocked(["vault", "show", "--reveal"])).stdout).toContain(SECRET);
    const { stdout } = await workspace.unlocked(["vault", "show", "--reveal", "--json"]);
    expect(JSON.parse(stdout).payload).toEqual(payload);
  });
});

describe("import and export", () => {
  test("import replaces everything, by a file or by stdin", async () => {
    const workspace = await withVault({ old: true });
    writeFileSync(join(workspace.other, "new.json"), '{"cloud_sync": {"s3": {"bucket": "b"}}}');
    expect((await workspace.unlocked(["vault", "import", join(workspace.other, "new.json")])).status).toBe(0);
    expect(await payloadOf(workspace)).toEqual({ cloud_sync: { s3: { bucket: "b" } } });
    await workspace.unlocked(["vault", "import", "-"], { stdin: '{"n": 2}' });
    expect(await payloadOf(workspace)).toEqual({ n: 2 });
  });

  test("import refuses what is no JSON object, without a word of it, and keeps the vault", async () => {
    const workspace = await withVault({ a: 1 });
    const before = vaultBytes(workspace);
    for (const stdin of [`{"k": "${SECRET}"`, `["${SECRET}"]`, `"${SECRET}"`, "\u00ff\ufffe".repeat(2), ""]) {
      const { status, stdout, stderr } = await workspace.unlocked(["vault", "import", "-"], { stdin });
      expect(status).toBeGreaterThan(0);
      expect(stdout + stderr).not.toContain(SECRET);
      expect(stderr).toMatch(/^error: [^\n]*\n$/);
    }
    expect(vaultBytes(workspace)).toBe(before);
  });

  test("export writes a new file that only the owner reads", async () => {
    const workspace = await withVault({ a: SECRET });
    const file = join(workspace.other, "out.json");
    const { status, stdout, stderr } = await workspace.unlocked(["vault", "export", "--output", file]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).not.toContain(SECRET);
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({ a: SECRET });
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test("what export prints is what import takes", async () => {
    const workspace = await withVault({ a: SECRET, cloud_sync: { s3: { bucket: "ünï" } } });
    for (const args of [["-"], ["--reveal"]]) {
      const { status, stdout, stderr } = await workspace.unlocked(["vault", "export", ...args]);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(JSON.parse(stdout)).toEqual({ a: SECRET, cloud_sync: { s3: { bucket: "ünï" } } });
    }
    const file = join(workspace.other, "named.json");
    expect((await workspace.unlocked(["vault", "export", file])).status).toBe(0);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await workspace.unlocked(["vault", "unset", "a"]);
    expect((await workspace.unlocked(["vault", "import", file])).status).toBe(0);
    expect(await payloadOf(workspace)).toEqual({ a: SECRET, cloud_sync: { s3: { bucket: "ünï" } } });
  });

  test("an export shows nothing on a terminal unless that is asked for", async () => {
    const workspace = await withVault({ a: SECRET });
    const shown = async (...args: string[]) =>
      await onTerminal(workspace.root, ["vault", "export", ...args], [], { env: { COMFYVN_SECRETS_KEY: PASSPHRASE } });
    const bare = await shown();
    expect(bare.status).toBe(2);
    expect(bare.screen).not.toContain(SECRET);
    expect((await shown("-")).screen).toContain(SECRET);
  });

  test("export overwrites nothing", async () => {
    const workspace = await withVault({ a: SECRET });
    const file = join(workspace.other, "out.json");
    writeFileSync(file, "precious");
    expect((await workspace.unlocked(["vault", "export", "--output", file])).status).toBe(2);
    expect(readFileSync(file, "utf8")).toBe("precious");
  });

  test("an export into the workspace, from where it would be mirrored, is warned of", async () => {
    const workspace = await withVault({ a: SECRET });
    const inside = join(workspace.root, "config/plain.json");
    const { status, stderr } = await workspace.unlocked(["vault", "export", "--output", inside]);
    expect(status).toBe(0);
    expect(stderr).toStartWith("warning: this file holds secrets and lies in the workspace");
  });
});

test("what --json prints of a change is named like the API's answers", async () => {
  const workspace = cliWorkspace();
  const steps = [
    { args: ["init"], stdin: "" },
    { args: ["set", "a"], stdin: "1" },
    { args: ["unset", "a"], stdin: "" },
    { args: ["import", "-"], stdin: "{}" },
    { args: ["restore", "0"], stdin: "" },
  ];
  for (const { args, stdin } of steps) {
    const { stdout } = await workspace.unlocked(["vault", ...args, "--json"], { stdin });
    expect(JSON.parse(stdout)).toMatchObject({ backups_dropped_for_size: 0 });
    expect(Object.keys(JSON.parse(stdout) as object).join()).toMatch(/^[a-z_,]+$/);
  }
});

describe("rekey", () => {
  const rekey = ["vault", "rekey"];
  const env = { COMFYVN_SECRETS_NEW_KEY: "the new passphrase" };

  test("afterwards the new passphrase opens the vault and its backups, the old one nothing", async () => {
    const workspace = await withVault({ n: 1 });
    await workspace.unlocked(["vault", "set", "n", "--json-value"], { stdin: "2" });
    const { status, stdout, stderr } = await workspace.unlocked(rekey, { env });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toBe("rekeyed; 1 backup encrypted anew, 0 dropped\n");
    expect(await payloadOf(workspace)).toBe("status 1");
    expect(await payloadOf(workspace, "the new passphrase")).toEqual({ n: 2 });
  });

  test("takes the new passphrase from a file", async () => {
    const workspace = await withVault({ n: 1 });
    const file = join(workspace.other, "new-key");
    writeFileSync(file, "from a file\n");
    const { status, stdout } = await workspace.unlocked([...rekey, "--new-passphrase-file", file, "--json"]);
    expect(status).toBe(0);
    expect(Object.keys(JSON.parse(stdout) as object)).toEqual(["reencrypted", "dropped", "dropped_fields"]);
    expect(await payloadOf(workspace, "from a file")).toEqual({ n: 1 });
  });

  test("says beforehand what it would drop and drops it only when told to", async () => {
    const workspace = await withVault({ n: 1 });
    const vault = JSON.parse(vaultBytes(workspace));
    const foreign = await withVault({ foreign: true });
    const { backups: _, ...backup } = JSON.parse(vaultBytes(foreign));
    // Its nonce is another vault's: under no passphrase of ours does it open.
    backup.cipher.nonce = vault.cipher.nonce;
    workspace.write(VAULT, JSON.stringify({ ...vault, backups: [{ ...backup, archived_at: backup.updated_at }] }));
    const before = vaultBytes(workspace);

    const refused = await workspace.unlocked(rekey, { env });
    expect({ status: refused.status, stdout: refused.stdout }).toEqual({ status: 1, stdout: "" });
    expect(refused.stderr).toContain("this rekey would drop 1 backup");
    expect(refused.stderr).toContain("--drop-unopenable");
    expect(vaultBytes(workspace)).toBe(before);

    const told = await workspace.unlocked([...rekey, "--json"], { env });
    expect(JSON.parse(told.stdout)).toMatchObject({ dropped: 1, dropped_fields: 0 });
    const agreed = await workspace.unlocked([...rekey, "--drop-unopenable"], { env });
    expect(agreed.status).toBe(0);
    expect(agreed.stderr).toContain("this rekey drops 1 backup");
    expect(await payloadOf(workspace, "the new passphrase")).toEqual({ n: 1 });
  });

  test("without a new passphrase, or with the old one, changes nothing", async () => {
    const workspace = await withVault({ n: 1 });
    const before = vaultBytes(workspace);
    const none = await workspace.unlocked(rekey);
    expect(none.status).toBe(1);
    expect(none.stderr).toContain("COMFYVN_SECRETS_NEW_KEY");
    const same = await workspace.unlocked(rekey, { env: { COMFYVN_SECRETS_NEW_KEY: PASSPHRASE } });
    expect(same.status).toBe(2);
    expect(vaultBytes(workspace)).toBe(before);
  });
});

describe("backups", () => {
  test("are listed newest first without a passphrase, and one becomes the content again", async () => {
    const workspace = await withVault({ n: 1 });
    for (const stdin of ["2", "3"]) await workspace.unlocked(["vault", "set", "n", "--json-value"], { stdin });
    const { stdout } = await workspace.call(["vault", "backups", "--json"]);
    const { backups } = JSON.parse(stdout);
    expect(backups.map((each: { index: number }) => each.index)).toEqual([0, 1]);
    expect(backups[0].archived_at > backups[1].archived_at).toBe(true);

    const restored = await workspace.unlocked(["vault", "restore", "1"]);
    expect(restored.status).toBe(0);
    expect(await payloadOf(workspace)).toEqual({ n: 1 });
  });

  test("one that is not there is an error that says how many there are", async () => {
    const workspace = await withVault({ n: 1 });
    const { status, stderr } = await workspace.unlocked(["vault", "restore", "3"]);
    expect(status).toBe(1);
    expect(stderr).toContain("it has 0");
  });
});
