import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { cliWorkspace, PASSPHRASE } from "./cli-process.ts";
import { ENTER, onTerminal } from "./on-terminal.ts";

const ASKED = "passphrase of the vault: ";

async function withVault(payload: unknown) {
  const workspace = cliWorkspace();
  await workspace.unlocked(["vault", "import", "-"], { stdin: JSON.stringify(payload) });
  return workspace;
}

describe("on a terminal", () => {
  test("the passphrase is asked for and never shown", async () => {
    const { root } = await withVault({ a: "the value" });
    const typed = `${PASSPHRASE}xy\u007f\u007f${ENTER}`;
    const result = await onTerminal(root, ["vault", "get", "a"], [{ question: ASKED, keys: typed }]);
    expect(result).toEqual({ status: 0, screen: `${ASKED}\nthe value\n`, unasked: 0 });
  });

  test("a wrong one is an error that does not repeat it", async () => {
    const { root } = await withVault({ a: 1 });
    const result = await onTerminal(root, ["vault", "get", "a"], [{ question: ASKED, keys: `hunter2${ENTER}` }]);
    expect(result.status).toBe(1);
    expect(result.screen).toContain("[vault_wrong_passphrase]");
    expect(result.screen).not.toContain("hunter2");
  });

  test("nobody is asked for the passphrase of a vault that is not there", async () => {
    const result = await onTerminal(cliWorkspace().root, ["vault", "show"]);
    expect(result.status).toBe(1);
    expect(result.screen).toContain("[vault_missing]");
    expect(result.screen).not.toContain(ASKED);
  });

  test("Ctrl-C at the question ends with 130", async () => {
    const { root } = await withVault({ a: 1 });
    const result = await onTerminal(root, ["vault", "get", "a"], [{ question: ASKED, keys: "abc\u0003" }]);
    expect(result.status).toBe(130);
    expect(result.screen).toContain("[aborted]");
  });

  test("a value to set is typed unseen, after the passphrase", async () => {
    const { root, unlocked } = await withVault({});
    const result = await onTerminal(
      root,
      ["vault", "set", "a"],
      [
        { question: ASKED, keys: PASSPHRASE + ENTER },
        { question: "value: ", keys: `pasted-secret${ENTER}second line${ENTER}` },
      ],
    );
    expect(result).toMatchObject({ status: 0, unasked: 0 });
    expect(result.screen).not.toContain("pasted-secret");
    expect((await unlocked(["vault", "get", "a"])).stdout).toBe("pasted-secret\n");
  });

  test("a new vault's passphrase is asked for twice, and two that differ make none", async () => {
    const { root, call } = cliWorkspace();
    const first = "passphrase for the new vault: ";
    const again = "the same again: ";
    const differing = [
      { question: first, keys: `one${ENTER}` },
      { question: again, keys: `two${ENTER}` },
    ];
    const refused = await onTerminal(root, ["vault", "init"], differing);
    expect(refused.status).toBe(2);
    expect(existsSync(join(root, "config/comfyvn.secrets.json"))).toBe(false);

    const equal = [first, again].map((question) => ({ question, keys: `three and four${ENTER}` }));
    expect(await onTerminal(root, ["vault", "init"], equal)).toMatchObject({ status: 0, unasked: 0 });
    const env = { COMFYVN_SECRETS_KEY: "three and four" };
    expect((await call(["vault", "show"], { env })).status).toBe(0);
  });

  test("secrets are not read from a terminal that would show them", async () => {
    const { root } = await withVault({});
    const result = await onTerminal(root, ["vault", "import", "-"]);
    expect(result.status).toBe(2);
    expect(result.screen).toContain("stdin is a terminal");
  });

  test("a run draws its progress on one line and takes it away", async () => {
    const workspace = cliWorkspace();
    workspace.write("config/comfyvn.json", JSON.stringify({ sync: { local: { path: workspace.other } } }));
    workspace.write("assets/a.bin", new Uint8Array(100_000));
    await workspace.call(["flags", "enable", "local"]);
    const { status, screen } = await onTerminal(workspace.root, ["run", "--service", "local"]);
    expect(status).toBe(0);
    expect(screen).toMatch(/\r\u001b\[Kupload {2}░{10,} {4}0 % {2}0 B of 97\.\d KiB {2}0 of 2 files/);
    expect(screen).toMatch(/\r\u001b\[K\u001b\[32mok\u001b\[39m: snapshot default on local/);
  });
});
